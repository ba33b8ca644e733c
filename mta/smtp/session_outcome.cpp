// mta/smtp/session_outcome.cpp - what a reply or a silence means for the recipients that are open (smtp_trouble.c).
#include <fmt/format.h>

#include "mta/master/mail_system.hpp"
#include "mta/smtp/session.hpp"

namespace mta::smtp {

// A yes where it can only be a no is the server's mistake.
queue::delivery_status session::status_of(const reply& answer, std::string text) {
    note_code(answer.code);
    const bool refuses = answer.dsn.starts_with('4') || answer.dsn.starts_with('5');
    queue::delivery_status status(refuses ? answer.dsn : "5.5.0",
                                  refuses ? std::move(text) : "Protocol error: " + text);
    status.remote_mta = host_.name;
    status.diagnostic_type = "smtp";
    status.diagnostic = answer.one_line();
    return status;
}

// Where another host is left, a failure that is not for good is no more than a line in the log.
bool session::passes_on(const queue::delivery_status& status) const {
    return !last_host_ && (status.dsn[0] != '5' || mail_.soft_bounce());
}

// Every open recipient gets this status: now, or, where another host is left and the failure is not for good, later.
void session::settle_open(const queue::delivery_status& status, bool throttle) {
    fates_.resize(open_.size(), fate::open);
    const bool passed_on = passes_on(status);
    if (passed_on) account_.remark(status.text);
    bool deferred = false;
    for (std::size_t i = 0; i < open_.size(); ++i) {
        if (fates_[i] != fate::open) continue;
        fates_[i] = passed_on ? fate::kept : fate::settled;
        if (passed_on) continue;
        account_.settle(open_[i], relay_, status);
        deferred |= !account_.about().recipient(open_[i]).done;
    }
    delivery::request& work = account_.about();
    if (throttle && deferred && !work.reached_destination && !work.site_failure) work.site_failure = status;
    if (!in_transaction_) sweep();
}

// Leaves in open_ what another host is to be asked for.
void session::sweep() {
    std::vector<delivery::target> left;
    for (std::size_t i = 0; i < open_.size(); ++i) {
        if (i >= fates_.size() || fates_[i] != fate::settled) left.push_back(std::move(open_[i]));
    }
    open_ = std::move(left);
    fates_.clear();
}

void session::site_failed(const queue::delivery_status& why) {
    settle_open(why, true);
}

void session::site_refused(const reply& answer) {
    site_failed(status_of(answer, fmt::format("host {} refused to talk to me: {}", name_, answer.one_line())));
}

void session::message_refused(const reply& answer, std::string_view command) {
    settle_open(status_of(answer, fmt::format("host {} said: {} (in reply to {})", name_, answer.one_line(), command)),
                false);
}

void session::recipient_refused(std::size_t index, const reply& answer, std::string_view command) {
    const auto status =
        status_of(answer, fmt::format("host {} said: {} (in reply to {})", name_, answer.one_line(), command));
    const bool passed_on = passes_on(status);
    fates_[index] = passed_on ? fate::kept : fate::settled;
    if (passed_on) {
        account_.remark(status.text);
    } else {
        account_.settle(open_[index], relay_, status);
    }
}

void session::stream_failed(io_error error) {
    broken_ = true;
    if (past_mail_) return;
    if (reply_filter_failed_) {
        trouble_ |= data_trouble;
        return site_failed({"4.3.0", fmt::format("local data error while talking to {}", name_)});
    }
    const std::string text = error == io_error::timed_out
                                 ? fmt::format("conversation with {} timed out while {}", name_, doing_)
                                 : fmt::format("lost connection with {} while {}", name_, doing_);
    site_failed({"4.4.2", text});
}

}  // namespace mta::smtp
