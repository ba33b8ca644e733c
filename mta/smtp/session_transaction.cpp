// mta/smtp/session_transaction.cpp - the envelope of one message: MAIL, RCPT and DATA with their parameters, one by one
// or pipelined, and which recipients the replies leave (RFC 5321 3.3, RFC 2920, smtp_proto.c's smtp_loop).
#include <fmt/format.h>

#include <algorithm>

#include "mta/address/quote.hpp"
#include "mta/master/mail_system.hpp"
#include "mta/smtp/session.hpp"

namespace mta::smtp {
namespace {

std::string notify_text(unsigned flags) {
    if (flags & queue::notify_never) return "NEVER";
    std::string out;
    const auto add = [&](unsigned flag, const char* name) {
        if (flags & flag) (out += out.empty() ? "" : ",") += name;
    };
    add(queue::notify_success, "SUCCESS");
    add(queue::notify_failure, "FAILURE");
    add(queue::notify_delay, "DELAY");
    return out;
}

}  // namespace

std::string session::mail_command() const {
    const queue::queue_file& file = *account_.about().file;
    std::string line = fmt::format("MAIL FROM:<{}>", address::path_821(file.sender));
    if (has(feature::size) && size_limit_ > 0) line += fmt::format(" SIZE={}", file.size);
    if (has(feature::eight_bit_mime) && file.encoding == "8bit") line += " BODY=8BITMIME";
    if (has(feature::smtputf8) && file.smtputf8) line += " SMTPUTF8";
    if (has(feature::dsn)) {
        if (!file.envelope_id.empty()) line += " ENVID=" + file.envelope_id;
        if (file.returns == queue::return_content::full) line += " RET=FULL";
        if (file.returns == queue::return_content::headers) line += " RET=HDRS";
    }
    return line;
}

std::string session::rcpt_command(const delivery::target& to) const {
    const queue::recipient& who = account_.about().recipient(to);
    std::string line = fmt::format("RCPT TO:<{}>", address::path_821(to.address));
    if (has(feature::dsn)) {
        if (!who.dsn_original.empty()) line += " ORCPT=" + who.dsn_original;
        if (who.notify != 0) line += " NOTIFY=" + notify_text(who.notify);
    }
    return line;
}

task<void> session::send_message() {
    const queue::queue_file& file = *account_.about().file;
    account_.mark_connected(mail_.now());
    if (size_limit_ > 0 && static_cast<std::int64_t>(file.size) > size_limit_) {
        queue::delivery_status status(
            "5.3.4", fmt::format("message size {} exceeds size limit {} of server {}", file.size, size_limit_, name_));
        settle_open(status, false);
        co_return;
    }
    if (file.smtputf8 && !has(feature::smtputf8)) {
        queue::delivery_status status("5.6.7",
                                      fmt::format("SMTPUTF8 is required, but was not offered by host {}", name_));
        settle_open(status, false);
        co_return;
    }
    accepted_.assign(open_.size(), false);
    mail_accepted_ = false;
    const bool go_on = co_await send_envelope();
    if (go_on) {
        co_await send_content();
    } else if (!broken_ && !ended_by_dot_) {
        doing_ = "sending RSET";
        reply answer;
        co_await exchange("RSET", answer, settings_.rset_timeout);
    }
}

// MAIL, RCPT and DATA; pipelined in one write where the server takes that. True: the server waits for the content.
task<bool> session::send_envelope() {
    const std::string mail = mail_command();
    if (has(feature::pipelining)) {
        stream_.put(mail);
        stream_.put("\r\n");
        const bool recorded = mail_.host().wants_commands();
        if (recorded) sent_.push_back(mail);
        for (const delivery::target& each : open_) {
            const std::string rcpt = rcpt_command(each);
            stream_.put(rcpt);
            stream_.put("\r\n");
            if (recorded) sent_.push_back(rcpt);
        }
        if (!ends_after_rcpt()) {
            stream_.put("DATA\r\n");
            if (recorded) sent_.push_back("DATA");
        }
        doing_ = "sending MAIL FROM";
        const io_error error = co_await stream_.flush(settings_.mail_timeout);
        if (error != io_error::none) {
            stream_failed(error);
            co_return false;
        }
        co_return co_await read_envelope_replies();
    }
    reply answer;
    doing_ = "sending MAIL FROM";
    const bool mail_answered = co_await exchange(mail, answer, settings_.mail_timeout);
    if (!mail_answered) co_return false;
    accept_mail(answer);
    if (!mail_accepted_) co_return false;
    doing_ = "sending RCPT TO";
    for (std::size_t i = 0; i < open_.size(); ++i) {
        std::string rcpt = rcpt_command(open_[i]);
        const bool rcpt_answered = co_await exchange(std::move(rcpt), answer, settings_.rcpt_timeout);
        if (!rcpt_answered) co_return false;
        accept_rcpt(i, answer);
    }
    if (std::none_of(accepted_.begin(), accepted_.end(), [](bool each) { return each; })) {
        accept_rcpt(open_.size(), answer);
        co_return false;
    }
    doing_ = "sending DATA command";
    const bool data_answered = co_await exchange("DATA", answer, settings_.data_init_timeout);
    if (!data_answered) co_return false;
    accept_rcpt(open_.size(), answer);
    if (!answer.intermediate()) {
        message_refused(answer, "DATA command");
        co_return false;
    }
    co_return !probe_ends(answer);
}

task<bool> session::read_envelope_replies() {
    reply answer;
    const bool mail_answered = co_await read_reply(answer, settings_.mail_timeout);
    if (!mail_answered) co_return false;
    const reply to_mail = answer;
    accept_mail(to_mail);
    doing_ = "sending RCPT TO";
    const std::size_t count = accepted_.size();
    for (std::size_t i = 0; i < count; ++i) {
        const bool rcpt_answered = co_await read_reply(answer, settings_.rcpt_timeout);
        if (!rcpt_answered) co_return false;
        if (mail_accepted_) accept_rcpt(i, answer);
    }
    if (ends_after_rcpt()) {
        accept_rcpt(count, answer);
        co_return false;
    }
    doing_ = "sending DATA command";
    const bool data_answered = co_await read_reply(answer, settings_.data_init_timeout);
    if (!data_answered) co_return false;
    const bool wanted =
        mail_accepted_ && std::any_of(accepted_.begin(), accepted_.end(), [](bool each) { return each; });
    if (mail_accepted_) accept_rcpt(count, answer);
    if (answer.intermediate()) {
        if (wanted) co_return !probe_ends(answer);
        if (account_.is_probe()) {
            broken_ = true;
            co_return false;
        }
        // The server waits for a message that has nobody to go to: end it at once, unread.
        ended_by_dot_ = true;
        co_await exchange(".", answer, settings_.data_done_timeout);
        co_return false;
    }
    if (wanted) message_refused(answer, "DATA command");
    co_return false;
}

bool session::ends_after_rcpt() const {
    return account_.is_probe() && !settings_.probes_data;
}

// The server is ready for a message: a probe has found out what it wanted, and leaves without a word.
bool session::probe_ends(const reply& to_data) {
    if (!account_.is_probe()) return false;
    for (const delivery::target& each : open_) settle_probe(each, to_data);
    open_.clear();
    broken_ = true;
    return true;
}

void session::settle_probe(const delivery::target& to, const reply& answer) {
    queue::delivery_status status = status_of(answer, answer.one_line());
    if (!status.dsn.starts_with('2')) status.dsn = "2.0.0";
    settled_.insert(to.index);
    account_.sent(to, relay_, status);
}

void session::accept_mail(const reply& answer) {
    mail_accepted_ = answer.positive();
    if (!mail_accepted_) message_refused(answer, "MAIL FROM command");
}

// The reply to the RCPT of open_[index]; with the index past the end, takes the refused ones out of open_.
void session::accept_rcpt(std::size_t index, const reply& answer) {
    if (index < accepted_.size()) {
        accepted_[index] = answer.positive();
        if (!accepted_[index]) {
            recipient_refused(open_[index], answer, "RCPT TO command");
        } else if (ends_after_rcpt()) {
            accepted_[index] = false;
            settle_probe(open_[index], answer);
        }
        return;
    }
    // Those that a soft refusal left unsettled stay open for the next host; the settled ones are gone.
    std::vector<delivery::target> remaining;
    std::vector<bool> accepted;
    for (std::size_t i = 0; i < open_.size(); ++i) {
        const bool settled = account_.about().recipient(open_[i]).done || (!accepted_[i] && last_host_);
        if (settled) continue;
        remaining.push_back(open_[i]);
        accepted.push_back(accepted_[i]);
    }
    open_ = std::move(remaining);
    accepted_ = std::move(accepted);
}

}  // namespace mta::smtp
