// mta/smtpd/session_end.cpp - the last lines of a session in the log, and the notice to the postmaster
// (notify_classes).
#include <fmt/format.h>

#include "mta/bounce/session_notice.hpp"
#include "mta/master/mail_system.hpp"
#include "mta/smtpd/session.hpp"
#include "mta/text/strings.hpp"

namespace mta::smtpd {
namespace {

using address::verb;

// In the order of the `disconnect` line.
constexpr verb order[] = {verb::helo, verb::ehlo, verb::xclient, verb::xforward, verb::starttls, verb::auth,
                          verb::mail, verb::rcpt, verb::data,    verb::bdat,     verb::rset,     verb::noop,
                          verb::vrfy, verb::etrn, verb::quit,    verb::unknown};

}  // namespace

void session::remember(std::string_view direction, std::string_view line) {
    if (options_.notices == 0) return;
    // Bounded by the limits on errors and junk commands, and for a client that knows neither, here.
    constexpr std::size_t most_lines = 10'000;
    if (history_.size() < most_lines) history_.push_back(fmt::format("{}{}", direction, line));
}

void session::log_end() {
    if (!reason_.empty()) {
        std::string after = where_;
        if (where_ == "DATA content") after = fmt::format("DATA ({} bytes)", bytes_);
        if (where_ == "BDAT content") after = fmt::format("BDAT ({} bytes)", bytes_);
        if (reason_ == "too many errors") {
            inform(fmt::format("{} after {} from {}", reason_, after, client_.name_and_address()));
        } else if (where_ != "END-OF-MESSAGE" || reason_ != "lost connection") {
            log(maillog::connection_broken{reason_ == "timeout", after, client_.for_log()});
        }
    }
    if (seen_notices_ & options_.notices) send_notice();
    if (lost_in_content_) abandon_message();
    std::vector<std::string> names;
    for (const verb each : order) names.push_back(text::lowered(address::name_of(each)));
    std::vector<maillog::command_count> counts;
    for (std::size_t i = 0; i < names.size(); ++i) {
        const counter& of = counters_[static_cast<std::size_t>(order[i])];
        if (of.total > 0) counts.push_back({names[i], of.succeeded, of.total});
    }
    maillog::disconnected told;
    told.client = client_.for_log();
    told.commands = counts;
    log(told);
}

// A transcript that has become long is sent, or forgotten where there was nothing to complain of.
void session::flush_history(std::size_t limit) {
    if (history_.size() <= limit) return;
    if (seen_notices_ & options_.notices) send_notice();
    seen_notices_ = 0;
    history_.clear();
}

void session::send_notice() {
    const bool bounced = (seen_notices_ & static_cast<unsigned>(notice::bounce)) != 0;
    bounce::session_notice letter;
    letter.cleanup_service = options_.cleanup_service;
    letter.recipient = bounced ? options_.bounce_recipient : options_.error_recipient;
    letter.named_in_to = options_.error_recipient;
    letter.subject = "SMTP server: errors from " + client_.name_and_address();
    for (const std::string& each : history_) letter.transcript.push_back(address::printable(each, options_.smtputf8));
    if (!reason_.empty()) letter.closing = fmt::format("Session aborted, reason: {}\n", reason_);
    letter.closing += "\n";
    bounce::send(mail_, letter);
}

}  // namespace mta::smtpd
