#include "mta/smtpd/access_reply.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "mta/config/expand.hpp"
#include "mta/text/strings.hpp"

namespace mta::smtpd {
namespace {

constexpr std::array<std::string_view, 10> class_names = {
    "Client host",    "Unverified Client host", "Client certificate", "SASL login name", "Helo command",
    "Sender address", "Recipient address",      "Etrn command",       "Data command",    "End-of-data"};

// X.1.Y for a sender, and for a recipient.
struct address_status {
    std::string_view detail, sender, recipient;
};
constexpr address_status address_statuses[] = {
    {"1", "1.7", "1.1"}, {"2", "1.8", "1.2"}, {"3", "1.7", "1.3"}, {"4", "1.7", "1.4"},
    {"5", "1.0", "1.5"}, {"6", "1.7", "1.6"}, {"7", "1.7", "1.3"}, {"8", "1.8", "1.2"},
};

// The length of "D.DDD.DDD" at the begin, or 0.
std::size_t status_length(std::string_view text) {
    if (text.size() < 5 || (text[0] != '2' && text[0] != '4' && text[0] != '5') || text[1] != '.') return 0;
    std::size_t at = 2;
    for (int part = 0; part < 2; ++part) {
        const std::size_t begin = at;
        while (at < text.size() && text::is_digit(text[at]) && at - begin < 3) ++at;
        if (at == begin) return 0;
        if (part == 0 && (at == text.size() || text[at++] != '.')) return 0;
    }
    return at == text.size() || text::is_space(text[at]) ? at : 0;
}

}  // namespace

std::string_view name_of(reply_class value) {
    return class_names[static_cast<std::size_t>(value)];
}

bool begins_with_status(std::string_view text) {
    return status_length(text) > 0;
}

status_and_text split_status(std::string_view text, std::string_view otherwise) {
    while (!text.empty() && text::is_space(text.front())) text.remove_prefix(1);
    const std::size_t length = status_length(text);
    if (length == 0) return {std::string(otherwise), std::string(text)};
    std::string_view rest = text.substr(length);
    while (!rest.empty() && text::is_space(rest.front())) rest.remove_prefix(1);
    return {std::string(text.substr(0, length)), std::string(rest)};
}

std::string fitting_status(std::string_view status, reply_class about) {
    constexpr std::string_view subject = ".1.";
    if (status.substr(1, subject.size()) != subject) return std::string(status);
    const std::string_view detail = status.substr(1 + subject.size());
    const bool sender = about == reply_class::sender;
    if (!sender && about != reply_class::recipient) return fmt::format("{}.0.0", status.substr(0, 1));
    const auto* row = std::find_if(std::begin(address_statuses), std::end(address_statuses),
                                   [&](const address_status& each) { return each.detail == detail; });
    const std::string_view fitting = row == std::end(address_statuses) ? "1.0" : sender ? row->sender : row->recipient;
    return fmt::format("{}.{}", status.substr(0, 1), fitting);
}

expansion expand_reply(std::string_view text, const reply_lookup& find, std::string_view allowed_characters) {
    expansion made;
    const config::lookup filtered = [&](std::string_view name) -> std::optional<std::string> {
        std::optional<std::string> value = find(name);
        if (!value) {
            made.unknown.emplace_back(name);
            return std::nullopt;
        }
        for (char& each : *value) {
            if (allowed_characters.find(each) == std::string_view::npos) each = '_';
        }
        return value;
    };
    try {
        made.text = config::expand_once(text, filtered, {});
    } catch (const config::fatal&) {
        made.bad = true;
    }
    return made;
}

std::string add_footer(std::string_view reply, std::string_view footer) {
    constexpr std::string_view on_the_same_line = "\\c", line_break = "\\n";
    std::vector<std::string> lines = {std::string(reply)};
    const bool continues = footer.substr(0, on_the_same_line.size()) == on_the_same_line;
    if (continues) footer.remove_prefix(on_the_same_line.size());
    // The codes of the reply, repeated on each line.
    constexpr std::size_t code_length = 4;
    const std::string_view after_code = reply.substr(std::min(code_length, reply.size()));
    const std::size_t status = status_length(after_code);
    const std::string prefix =
        fmt::format("{}{}", reply.substr(0, 3), status > 0 ? fmt::format("-{} ", after_code.substr(0, status)) : "-");
    bool first = true;
    for (;;) {
        const std::size_t end = footer.find(line_break);
        const std::string_view line = footer.substr(0, end);
        if (first && continues) {
            lines.back() += line;
        } else {
            lines.push_back(prefix + std::string(line));
        }
        first = false;
        if (end == std::string_view::npos) break;
        footer.remove_prefix(end + line_break.size());
    }
    std::string out;
    for (std::size_t i = 0; i < lines.size(); ++i) {
        std::string& line = lines[i];
        if (line.size() > 3) line[3] = i + 1 == lines.size() ? ' ' : '-';
        out += line;
        if (i + 1 < lines.size()) out += "\r\n";
    }
    return out;
}

}  // namespace mta::smtpd
