// mta/smtpd/session_end.cpp - the last lines of a session in the log, and the notice to the postmaster
// (notify_classes).
#include <fmt/format.h>

#include "mta/cleanup/cleanup.hpp"
#include "mta/master/mail_system.hpp"
#include "mta/smtpd/session.hpp"
#include "mta/text/strings.hpp"

namespace mta::smtpd {
namespace {

using address::verb;

constexpr std::size_t notice_width = 78, notice_indent = 4;
// In the order of the `disconnect` line.
constexpr verb order[] = {verb::helo, verb::ehlo, verb::xclient, verb::xforward, verb::starttls, verb::auth,
                          verb::mail, verb::rcpt, verb::data,    verb::bdat,     verb::rset,     verb::noop,
                          verb::vrfy, verb::etrn, verb::quit,    verb::unknown};

// A line of the transcript, folded at white space (line_wrap(3)).
void append_wrapped(std::string& out, std::string_view line) {
    std::size_t indent = 0;
    while (line.size() + indent > notice_width) {
        std::size_t cut = line.rfind(' ', notice_width - indent);
        if (cut == std::string_view::npos || cut == 0) cut = line.find(' ', 1);
        if (cut == std::string_view::npos) break;
        out.append(indent + 1, ' ').append(text::trimmed_right(line.substr(0, cut))) += '\n';
        line = text::trimmed(line.substr(cut));
        indent = notice_indent;
    }
    out.append(indent + 1, ' ').append(line) += '\n';
}

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
    cleanup::incoming message;
    message.source = cleanup::source::internal;
    message.service = options_.cleanup_service;
    queue::queue_file& envelope = message.envelope;
    envelope.arrived = mail_.now();
    envelope.id = mail_.new_queue_id(envelope.arrived);
    envelope.sender = options_.double_bounce_sender;
    queue::recipient to;
    const bool bounced = seen_notices_ & static_cast<unsigned>(notice::bounce);
    to.address = bounced ? options_.bounce_recipient : options_.error_recipient;
    envelope.recipients.push_back(to);
    const std::string date = text::mail_date(envelope.arrived, mail_.host().time_zone());
    const std::string& host = options_.myhostname;
    const std::string& named = options_.error_recipient;
    std::string& text = message.content;
    text = fmt::format(
        "Received: by {0} ({1})\n\tid {2}; {3}\nDate: {3}\nFrom: Mail Delivery System <MAILER-DAEMON@{0}>\n"
        "To: Postmaster <{4}>\nSubject: {1} SMTP server: errors from {5}\n\nTranscript of session follows.\n\n",
        host, options_.mail_name, envelope.id, date, named.find('@') == std::string::npos ? named + "@" + host : named,
        client_.name_and_address());
    for (const std::string& each : history_) append_wrapped(text, address::printable(each, options_.smtputf8));
    text += "\n";
    if (!reason_.empty()) text += fmt::format("Session aborted, reason: {}\n", reason_);
    text += "\nFor other details, see the local mail logfile\n";
    mail_.cleanup().take(std::move(message));
}

}  // namespace mta::smtpd
