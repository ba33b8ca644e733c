#include "mta/bounce/templates.hpp"

#include <fmt/format.h>

#include <array>
#include <chrono>

#include "mta/config/parameters.hpp"
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

constexpr std::string_view template_names[] = {"failure_template", "delay_template", "success_template",
                                               "verify_template"};

}  // namespace

const notice_template& notice_templates::of(template_kind kind) const {
    switch (kind) {
        case template_kind::failure:
            return failure;
        case template_kind::delay:
            return delay;
        case template_kind::success:
            return success;
        case template_kind::verify:
            break;
    }
    return verify;
}

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

void notice_templates::read(std::string_view text, std::string_view file, std::vector<std::string>& warnings) {
    notice_template* const all[] = {&failure, &delay, &success, &verify};
    const auto lines = text::split(text::replaced(text, "\n\n", "\n \n"), "\n");
    for (std::size_t i = 0; i < lines.size(); ++i) {
        const auto marker = lines[i].find("<<");
        const auto equals = lines[i].find('=');
        if (lines[i].front() == '#' || text::trimmed(lines[i]).empty()) continue;
        const auto name = text::trimmed(lines[i].substr(0, equals));
        notice_template* into = nullptr;
        for (std::size_t t = 0; t < std::size(all); ++t) {
            if (name == template_names[t]) into = all[t];
        }
        if (!into || equals == std::string_view::npos || marker == std::string_view::npos) {
            warnings.push_back(fmt::format("{}, line {}: unexpected text: {}", file, i + 1, lines[i]));
            continue;
        }
        const auto end = text::trimmed(lines[i].substr(marker + 2));
        notice_template read = *into;
        read.origin = file;
        read.body.clear();
        bool in_body = false;
        for (++i; i < lines.size() && lines[i] != end; ++i) {
            const auto line = lines[i] == " " ? std::string_view() : lines[i];
            const auto colon = line.find(':');
            if (in_body) {
                (read.body += line) += '\n';
            } else if (line.empty()) {
                in_body = true;
            } else {
                const auto value =
                    std::string(text::trimmed(line.substr(colon == std::string_view::npos ? line.size() : colon + 1)));
                const auto header = line.substr(0, colon);
                if (text::equal_ignoring_case(header, "Charset")) read.charset = value;
                if (text::equal_ignoring_case(header, "From")) read.from = value;
                if (text::equal_ignoring_case(header, "Subject")) read.subject = value;
                if (text::equal_ignoring_case(header, "Postmaster-Subject")) read.postmaster_subject = value;
            }
        }
        *into = std::move(read);
    }
}

std::string expand_body(const notice_template& from, std::string_view name, const config::parameters& parameters,
                        std::vector<std::string>& warnings) {
    std::string out;
    const std::string_view body = from.body;
    for (std::size_t at = 0; at < body.size();) {
        if (body[at] != '$') {
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
        for (const unit& each : units) {
            if (text::ends_with_ignoring_case(parameter, each.suffix)) in = &each;
        }
        const std::string plain = in ? parameter.substr(0, parameter.size() - in->suffix.size()) : parameter;
        if (!parameters.defines(plain)) continue;
        if (!in) {
            out += parameters.text(plain);
            continue;
        }
        const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(parameters.duration(plain)).count();
        const auto value = seconds / in->seconds;
        if (value == 0) {
            const auto unit_name = in->suffix.substr(1);
            warnings.push_back(fmt::format("{}: zero result in {} template conversion of parameter \"{}\"", from.origin,
                                           name, parameter));
            warnings.push_back(
                fmt::format("please reduce time unit \"{}\" of \"{}\" in {} template", unit_name, parameter, name));
            warnings.push_back("for instructions see the bounce(5) manual");
        }
        out += std::to_string(value);
    }
    return out;
}

}  // namespace mta::bounce
