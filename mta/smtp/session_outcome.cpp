// mta/smtp/session_outcome.cpp - what a reply or a silence means for the recipients that are open (smtp_trouble.c).
#include <fmt/format.h>

#include "mta/master/mail_system.hpp"
#include "mta/smtp/session.hpp"

namespace mta::smtp {

queue::delivery_status session::status_of(const reply& answer, std::string text) const {
    queue::delivery_status status(answer.dsn.empty() ? "4.3.0" : answer.dsn, std::move(text));
    status.remote_mta = host_.name;
    status.diagnostic_type = "smtp";
    status.diagnostic = answer.one_line();
    return status;
}

// Every open recipient gets this status: now, or, where another host is left and the failure is not for good, later.
void session::settle_open(const queue::delivery_status& status, bool throttle) {
    const bool permanent = status.dsn[0] == '5';
    if (!permanent && !last_host_) {
        account_.remark(status.text);
        return;
    }
    for (const delivery::target& each : open_) {
        if (!settled_.contains(each.index)) account_.settle(each, relay_, status);
    }
    open_.clear();
    if (!permanent && throttle) account_.about().site_failure = status;
}

void session::site_failed(queue::delivery_status why) {
    if (why.remote_mta.empty()) why.remote_mta = host_.name;
    settle_open(why, true);
}

void session::site_refused(const reply& answer) {
    site_failed(status_of(answer, fmt::format("host {} refused to talk to me: {}", name_, answer.one_line())));
}

void session::message_refused(const reply& answer, std::string_view command) {
    settle_open(status_of(answer, fmt::format("host {} said: {} (in reply to {})", name_, answer.one_line(), command)),
                false);
}

void session::recipient_refused(const delivery::target& to, const reply& answer, std::string_view command) {
    const auto status =
        status_of(answer, fmt::format("host {} said: {} (in reply to {})", name_, answer.one_line(), command));
    if (status.dsn[0] != '5' && !last_host_) {
        account_.remark(status.text);
        return;
    }
    settled_.insert(to.index);
    account_.settle(to, relay_, status);
}

void session::stream_failed(io_error error) {
    broken_ = true;
    const std::string text = error == io_error::timed_out
                                 ? fmt::format("conversation with {} timed out while {}", name_, doing_)
                                 : fmt::format("lost connection with {} while {}", name_, doing_);
    site_failed({"4.4.2", text});
}

}  // namespace mta::smtp
