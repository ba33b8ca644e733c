#include "mta/bounce/templates.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <optional>
#include <utility>

#include "mta/cleanup/header_options.hpp"
#include "mta/config/parameters.hpp"
#include "mta/config/problem.hpp"
#include "mta/text/strings.hpp"

namespace mta::bounce {
namespace {

constexpr std::string_view greeting = "This is the mail system at host $myhostname.\n\n";
constexpr std::string_view further_help =
    "For further assistance, please send mail to postmaster.\n\n"
    "If you do so, please include this problem report. You can\n"
    "delete your own text from the attached returned message.\n\n";
constexpr std::string_view signature = "                   The mail system\n";

std::string letter(std::string_view middle, bool offers_help) {
    std::string body(greeting);
    body += middle;
    if (offers_help) body += further_help;
    body += signature;
    return body;
}

struct unit {
    std::string_view suffix;
    std::int64_t seconds;
};
constexpr std::array<unit, 5> units = {
    {{"_seconds", 1}, {"_minutes", 60}, {"_hours", 3600}, {"_days", 86'400}, {"_weeks", 604'800}}};

// Whose names may end in a unit.
constexpr std::string_view timed_parameters[] = {"delay_warning_time", "maximal_queue_lifetime"};

constexpr std::string_view template_names[] = {"failure_template", "delay_template", "success_template",
                                               "verify_template"};

}  // namespace

notice_templates notice_templates::built_in() {
    notice_templates all;
    all.failure.subject = "Undelivered Mail Returned to Sender";
    all.failure.postmaster_subject = "Postmaster Copy: Undelivered Mail";
    all.failure.body = letter(
        "I'm sorry to have to inform you that your message could not\n"
        "be delivered to one or more recipients. It's attached below.\n\n",
        true);
    all.delay.subject = "Delayed Mail (still being retried)";
    all.delay.postmaster_subject = "Postmaster Warning: Delayed Mail";
    all.delay.body = letter(
        "####################################################################\n"
        "# THIS IS A WARNING ONLY.  YOU DO NOT NEED TO RESEND YOUR MESSAGE. #\n"
        "####################################################################\n\n"
        "Your message could not be delivered for more than $delay_warning_time_hours hour(s).\n"
        "It will be retried until it is $maximal_queue_lifetime_days day(s) old.\n\n",
        true);
    all.success.subject = "Successful Mail Delivery Report";
    all.success.body = letter(
        "Your message was successfully delivered to the destination(s)\n"
        "listed below. If the message was delivered to mailbox you will\n"
        "receive no further notifications. Otherwise you may still receive\n"
        "notifications of mail delivery errors from other systems.\n\n",
        false);
    all.verify.subject = "Mail Delivery Status Report";
    all.verify.body = letter("Enclosed is the mail delivery report that you requested.\n\n", false);
    return all;
}

namespace {

// "name = value" of a template file.
struct definition {
    std::string_view name, value;
};
std::optional<definition> parse_definition(std::string_view line) {
    const auto equals = line.find('=');
    if (equals == std::string_view::npos) return std::nullopt;
    return definition{text::trimmed(line.substr(0, equals)), text::trimmed(line.substr(equals + 1))};
}

bool is_ascii(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

// The next line, without its end; nothing at the end of the text.
std::optional<std::string_view> take_line(std::string_view& rest, int& number) {
    if (rest.empty()) return std::nullopt;
    const std::size_t length = std::min(rest.find('\n'), rest.size());
    const std::string_view line = rest.substr(0, length);
    rest.remove_prefix(std::min(length + 1, rest.size()));
    ++number;
    return line;
}

// What a header of a template sets; the text of the warning when it is none.
std::string set_header(notice_template& in, std::string_view name, std::string_view value, std::string_view kind) {
    const auto complaint = [&](std::string_view what, std::string_view where) {
        return fmt::format("{}: {} \"{}\" header {} in {} template -- ignoring this template", in.origin, what, name,
                           where, kind);
    };
    if (value.empty()) return complaint("empty", "value");
    if (!is_ascii(value)) return complaint("non-ASCII", "value");
    if (text::equal_ignoring_case(name, "Charset")) {
        in.charset = value;
    } else if (text::equal_ignoring_case(name, "From")) {
        in.from = value;
    } else if (text::equal_ignoring_case(name, "Subject")) {
        in.subject = value;
    } else if (text::equal_ignoring_case(name, "Postmaster-Subject")) {
        if (in.postmaster_subject.empty()) return complaint("inapplicable", "label");
        in.postmaster_subject = value;
    } else {
        return complaint("unknown", "label");
    }
    return {};
}

// Fills `in`, which has the built-in subjects, from the text of a definition. What is wrong becomes warnings.
bool read_template(notice_template& in, std::string_view body, std::string_view kind,
                   std::vector<std::string>& warnings) {
    in.charset = "us-ascii";
    int number = 0;
    std::optional<std::string_view> line = take_line(body, number);
    for (; line; line = take_line(body, number)) {
        const std::size_t name_length = cleanup::header_name_length(*line);
        if (name_length == 0) break;
        const std::string_view value = text::trimmed(line->substr(line->find(':', name_length) + 1));
        const std::string complaint = set_header(in, line->substr(0, name_length), value, kind);
        if (complaint.empty()) continue;
        warnings.push_back(complaint);
        return false;
    }
    while (line && text::trimmed(*line).empty()) line = take_line(body, number);
    if (!line) {
        warnings.push_back(
            fmt::format("{}: missing message text in {} template -- ignoring this template", in.origin, kind));
        return false;
    }
    in.body = fmt::format("{}\n{}", *line, body);
    const bool ascii = text::equal_ignoring_case(in.charset, "us-ascii");
    if (ascii && !is_ascii(in.body)) {
        warnings.push_back(fmt::format("{}: 8-bit message text in {} template", in.origin, kind));
        warnings.emplace_back("please specify a charset value other than us-ascii");
        warnings.emplace_back("-- ignoring this template for now");
        return false;
    }
    return true;
}

}  // namespace

void notice_templates::read(std::string_view text, std::string_view file, std::vector<std::string>& warnings) {
    notice_template* const all[] = {&failure, &delay, &success, &verify};
    std::array<std::optional<std::string>, std::size(template_names)> found;
    int number = 0;
    while (const auto line = take_line(text, number)) {
        if (line->starts_with('#') || text::trimmed(*line).empty()) continue;
        const auto at = [&] { return fmt::format("{}, line {}", file, number + 1); };  // Postfix counts from 2
        const auto defined = parse_definition(*line);
        if (!defined) throw config::fatal({}, fmt::format("{}: missing '=' after attribute name: \"{}\"", at(), *line));
        const auto name = std::find(std::begin(template_names), std::end(template_names), defined->name);
        std::string body;
        if (defined->value.starts_with("<<")) {
            const std::string_view marker = text::trimmed(defined->value.substr(2));
            if (marker.empty()) throw config::fatal({}, at() + ": missing end marker after <<");
            auto inner = take_line(text, number);
            for (; inner && *inner != marker; inner = take_line(text, number)) (body += *inner) += '\n';
            if (!inner) warnings.push_back(fmt::format("{}: missing \"{}\" end marker", at(), marker));
        } else {
            body = defined->value;
        }
        if (name == std::end(template_names)) {
            warnings.push_back(
                fmt::format("{}: unknown template name: {} -- ignoring this template", at(), defined->name));
        } else {
            found[static_cast<std::size_t>(name - std::begin(template_names))] = std::move(body);
        }
    }
    for (std::size_t i = 0; i < found.size(); ++i) {
        if (!found[i]) continue;
        all[i]->defined = std::move(found[i]);
        all[i]->defined_in = file;
    }
}

const notice_template& notice_templates::of(template_kind kind, std::vector<std::string>& warnings) {
    notice_template* const all[] = {&failure, &delay, &success, &verify};
    const auto index = static_cast<std::size_t>(kind);
    notice_template& wanted = *all[index];
    if (const auto text = std::exchange(wanted.defined, std::nullopt)) {
        notice_template made = wanted;
        made.origin = wanted.defined_in;
        const std::string_view name = template_names[index];
        const bool good = read_template(made, *text, name.substr(0, name.find('_')), warnings);
        if (good) wanted = std::move(made);
    }
    return wanted;
}

namespace {

const unit* find_unit(std::string_view suffix) {
    const auto found =
        std::find_if(units.begin(), units.end(), [&](const unit& each) { return each.suffix == suffix; });
    return found == units.end() ? nullptr : &*found;
}

std::string undefined_name(const notice_template& in, std::string_view kind, std::size_t at) {
    const std::string_view body = in.body;
    const std::size_t before = body.rfind('\n', at);
    const std::size_t begin = before == std::string_view::npos ? 0 : before + 1;
    return fmt::format("{}: undefined $name in {} template: {}", in.origin, kind,
                       body.substr(begin, std::min(body.find('\n', at), body.size()) - begin));
}

// A result that misinforms the reader is worth a warning.
std::string time_in_unit(const notice_template& from, std::string_view kind, const std::string& parameter,
                         std::chrono::nanoseconds time, const unit& in, std::vector<std::string>& warnings) {
    constexpr std::int64_t most = 999, a_day = 86'400;
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(time).count();
    const auto value = seconds / in.seconds;
    const bool excessive = value > most && in.seconds < a_day;
    const bool zero = value == 0 && seconds > 0 && in.seconds > 1;
    if (excessive || zero) {
        const std::string result = excessive ? fmt::format("excessive result \"{}\"", value) : "zero result";
        warnings.push_back(
            fmt::format("{}: {} in {} template conversion of parameter \"{}\"", from.origin, result, kind, parameter));
        warnings.push_back(fmt::format("please {} time unit \"{}\" of \"{}\" in {} template",
                                       excessive ? "increase" : "reduce", in.suffix.substr(1), parameter, kind));
        warnings.emplace_back("for instructions see the bounce(5) manual");
    }
    return std::to_string(value);
}

}  // namespace

std::string expand_body(const notice_template& from, std::string_view name, const config::parameters& parameters,
                        std::vector<std::string>& warnings) {
    std::string out, undefined;
    const std::string_view body = from.body;
    for (std::size_t at = 0; at < body.size();) {
        if (body[at] != '$') {
            // A line is read to its end before it is found wanting.
            if (body[at] == '\n' && !undefined.empty()) break;
            out += body[at++];
            continue;
        }
        if (at + 1 < body.size() && body[at + 1] == '$') {
            out += '$';
            at += 2;
            continue;
        }
        const bool braces = at + 1 < body.size() && (body[at + 1] == '{' || body[at + 1] == '(');
        const std::size_t begin = at + (braces ? 2 : 1);
        std::size_t end = begin;
        while (end < body.size() && (text::is_alnum(body[end]) || body[end] == '_')) ++end;
        const std::string parameter(body.substr(begin, end - begin));
        at = braces ? std::min(end + 1, body.size()) : end;
        const unit* in = nullptr;
        std::string plain = parameter;
        for (const std::string_view each : timed_parameters) {
            if (!parameter.starts_with(std::string(each) + '_')) continue;
            plain = each;
            in = find_unit(std::string_view(parameter).substr(each.size()));
            if (!in) {
                throw config::fatal({}, fmt::format("{}: unrecognized suffix \"{}\" in parameter \"{}\"", from.origin,
                                                    parameter.substr(each.size() + 1), parameter));
            }
        }
        if (!parameters.defines(plain)) {
            undefined = undefined_name(from, name, begin);
            continue;
        }
        out += in ? time_in_unit(from, name, parameter, parameters.duration(plain), *in, warnings)
                  : parameters.text(plain);
    }
    if (!undefined.empty()) throw config::fatal({}, undefined);
    return out;
}

}  // namespace mta::bounce
