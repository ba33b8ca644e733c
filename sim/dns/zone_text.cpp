#include "sim/dns/zone_text.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "mta/text/strings.hpp"

namespace sim::dns {
namespace {

constexpr std::string_view origin_directive = "$ORIGIN";

bool needs_escape(char c) {
    return static_cast<unsigned char>(c) >= 0x80;
}

// How many bytes a byte of the declared line becomes; a backslash before it already says that it is literal.
std::size_t scanned_length(char c, bool escaped) {
    return !needs_escape(c) ? 1 : escaped ? 3 : 4;
}

// Walks over a line and tells for each byte whether a backslash makes it literal.
class escapes {
  public:
    bool next(char c) {
        const bool escaped = pending_;
        pending_ = !escaped && c == '\\';
        return escaped;
    }

  private:
    bool pending_ = false;
};

std::string scannable(std::string_view line) {
    std::string text;
    escapes state;
    for (const char c : line) {
        const bool escaped = state.next(c);
        if (!needs_escape(c)) {
            text += c;
            continue;
        }
        if (!escaped) text += '\\';
        text += fmt::format("{:03}", static_cast<unsigned>(static_cast<unsigned char>(c)));
    }
    return text;
}

// The byte of the declared line that became byte `at` of the scanned one.
std::size_t declared_offset(std::string_view line, std::size_t at) {
    escapes state;
    std::size_t scanned = 0;
    for (std::size_t i = 0; i < line.size(); ++i) {
        scanned += scanned_length(line[i], state.next(line[i]));
        if (scanned > at) return i;
    }
    return line.size();
}

}  // namespace

zone_text::zone_text(const zone_source& source) : origin_(source.name) {
    if (!origin_.ends_with('.')) origin_ += '.';
    append(source.head);
    declared_begin_ = lines_.size();
    append(source.text);
    declared_end_ = lines_.size();
    for (const auto& line : source.tail) append(line);
}

void zone_text::append(std::string_view lines) {
    while (!lines.empty()) {
        const auto end = lines.find('\n');
        std::string_view line = lines.substr(0, end);
        lines.remove_prefix(end == std::string_view::npos ? lines.size() : end + 1);
        if (line.ends_with('\r')) line.remove_suffix(1);
        lines_.push_back(line);
        if (mta::text::starts_with_ignoring_case(line, origin_directive)) {
            append_origin(line);
        } else {
            all_ += scannable(line);
        }
        all_ += '\n';
    }
}

// "$ORIGIN sub" means below the origin before it (RFC 1035, 5.1); the scanner takes none without a final dot.
void zone_text::append_origin(std::string_view line) {
    all_ += scannable(line);
    const auto code = line.substr(0, line.find(';'));
    const auto words = mta::text::split(code, mta::text::white_space);
    if (words.size() != 2 || words[0].size() != origin_directive.size()) return;
    const std::string name = scannable(words[1]);
    if (words[1].ends_with('.')) {
        origin_ = name;
        return;
    }
    const std::string absolute = words[1] == "@" ? origin_ : name + (origin_ == "." ? "" : ".") + origin_;
    constexpr std::size_t longest_escaped_name = 1024;
    if (absolute.size() > longest_escaped_name) return;  // the scanner refuses it
    all_.resize(all_.size() - scannable(line).size());
    all_ += fmt::format("{} {}", origin_directive, absolute);
    origin_ = absolute;
}

unsigned zone_text::declared_line(std::uint64_t line) const {
    return line > declared_begin_ && line <= declared_end_ ? static_cast<unsigned>(line - declared_begin_) : 0;
}

std::string_view zone_text::line(std::uint64_t line) const {
    return line >= 1 && line <= lines_.size() ? lines_[line - 1] : std::string_view();
}

zone_text::position zone_text::locate(std::uint64_t number, std::size_t rest) const {
    position found;
    found.line = declared_line(number);
    const std::string_view text = line(number);
    const std::size_t scanned = scannable(text).size();
    const std::size_t stop = declared_offset(text, scanned - std::min(rest, scanned));
    found.at_end = mta::text::trimmed(text.substr(stop)).empty();
    const std::size_t end_of_text = mta::text::trimmed_right(text).size();
    std::size_t begin = std::min(stop, end_of_text);
    while (begin > 0 && !mta::text::is_space(text[begin - 1])) --begin;
    std::size_t end = begin;
    while (end < text.size() && !mta::text::is_space(text[end])) ++end;
    found.word = text.substr(begin, end - begin);
    found.column = static_cast<unsigned>(begin + 1);
    return found;
}

}  // namespace sim::dns
