// mta/smtp/session_trouble.cpp - what a session says that is worth a line in the log or a letter to the postmaster:
// strange replies, replaced replies, protocol errors (smtp_chat.c, notify_classes, smtp_reply_filter).
#include <fmt/format.h>

#include "mta/address/smtp_command.hpp"
#include "mta/bounce/session_notice.hpp"
#include "mta/master/mail_system.hpp"
#include "mta/smtp/session.hpp"
#include "mta/text/strings.hpp"

namespace mta::smtp {
namespace {

constexpr std::size_t shown_of_long_reply = 30, shown_of_garbage = 100;

}  // namespace

// RFC 821: x0z replies speak of syntax. Anything but 4xx and 5xx where a refusal was read is as bad (smtp_check_code).
void session::note_code(int code) {
    constexpr int parameters_not_recognized = 555;
    const bool refusal = code >= 400 && code <= 599;
    if (!refusal || code == parameters_not_recognized || (code >= 500 && code < 510)) trouble_ |= protocol_trouble;
}

// A line as the rest of the session sees it: printable, and as smtp_reply_filter would have it.
std::string session::filtered_line(std::string_view line) {
    std::string shown = address::printable(line, settings_.smtputf8);
    remember("In:  ", shown);
    const table::maps& filter = settings_.outgoing.reply;
    if (filter.empty()) return shown;
    const table::match match = filter.find(shown);
    for (const std::string& each : match.result.warnings) mail_.warn(account_.agent(), each);
    if (match.failed()) {
        mail_.warn(account_.agent(), fmt::format("table {} lookup error for {}", match.table, shown),
                   account_.about().file->id);
        reply_filter_failed_ = true;
    }
    if (!match.found()) return shown;
    const std::string text =
        fmt::format("{}: replacing server reply \"{}\" with \"{}\"", relay_, shown, match.result.value);
    mail_.log(account_.agent(), {}, maillog::remark{maillog::level::info, text});
    remember("Replaced-by: ", "");
    remember("     ", match.result.value);
    return match.result.value;
}

void session::warn_of_long_reply(std::string_view line) {
    const std::string shown = address::printable(line.substr(0, shown_of_long_reply), settings_.smtputf8);
    mail_.warn(account_.agent(), fmt::format("{}: response longer than {}: {}...", relay_, line.size(), shown));
}

void session::warn_of_garbage(std::string_view line) {
    trouble_ |= protocol_trouble;
    if (!has(feature::pipelining)) return;
    mail_.warn(account_.agent(),
               fmt::format("non-{} response from {}: {}", settings_.lmtp ? "LMTP" : "SMTP", relay_,
                           line.substr(0, shown_of_garbage)),
               account_.about().file->id);
    if (!settings_.helpful_warnings) return;
    mail_.warn(account_.agent(),
               fmt::format("to prevent loss of mail, turn off command pipelining for {} with the "
                           "{}_discard_{}_keyword_address_maps parameter",
                           host_.address, settings_.lmtp ? "lmtp" : "smtp", settings_.lmtp ? "lhlo" : "ehlo"));
}

void session::remember(std::string_view direction, std::string_view line) {
    if (settings_.notices == 0) return;
    // A session ends after a bounded number of commands and replies; this is for what has many recipients.
    constexpr std::size_t most_lines = 10'000;
    if (transcript_.size() < most_lines) transcript_.push_back(fmt::format("{}{}", direction, line));
}

void session::report_trouble() {
    if ((trouble_ & settings_.notices) == 0 || transcript_.empty()) return;
    // Trouble with a notice is not worth another.
    const std::string& sender = account_.about().sender();
    if (sender.empty() || text::equal_ignoring_case(sender, settings_.double_bounce_sender)) return;
    bounce::session_notice letter;
    letter.recipient = letter.named_in_to = settings_.error_recipient;
    letter.subject = fmt::format("{} client: errors from {}", settings_.lmtp ? "LMTP" : "SMTP", relay_);
    letter.opening = fmt::format("Unexpected response from {}.", relay_);
    letter.transcript = std::move(transcript_);
    bounce::send(mail_, letter);
    trouble_ = 0;
}

}  // namespace mta::smtp
