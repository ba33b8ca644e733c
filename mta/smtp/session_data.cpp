// mta/smtp/session_data.cpp - the content of a message as it goes out after DATA, and the reply to the dot
// (RFC 5321 4.5.2, smtp_proto.c).
#include <fmt/format.h>

#include "mta/address/quote.hpp"
#include "mta/master/mail_system.hpp"
#include "mta/smtp/content_writer.hpp"
#include "mta/smtp/session.hpp"

namespace mta::smtp {
namespace {

constexpr std::size_t output_high_water = 16'384;  // of content gathered before it is written
constexpr const char* sending_body = "sending message body";

}  // namespace

task<void> session::send_content() {
    doing_ = sending_body;
    stream_.output() += envelope_headers();
    content_writer content(settings_.outgoing, mail_.rewrite(), *account_.about().file->content, downgrades());
    for (bool more = true; more;) {
        more = content.write(stream_.output(), output_high_water);
        for (const content_writer::remark& each : content.take_remarks()) {
            mail_.log(account_.agent(), each.of_message ? account_.about().file->id : "",
                      maillog::remark{each.severity, each.text});
        }
        if (content.failed() != content_writer::problem::none) break;
        const io_error error = co_await stream_.flush(settings_.data_xfer_timeout);
        if (error == io_error::none) continue;
        co_await lost_in_content(error);
        co_return;
    }
    if (content.failed() != content_writer::problem::none) {
        content_failed(content.failed());
        co_return;
    }
    if (link_->delays_final_dot) co_await sleep_for(mail_.clock(), settings_.pix_delay);
    doing_ = "sending end of data -- message may be sent more than once";
    reply answer;
    const bool answered = co_await exchange(".", answer, settings_.data_done_timeout);
    if (!answered) co_return;
    if (settings_.lmtp) {
        co_await read_lmtp_replies(answer);
    } else if (answer.positive()) {
        message_accepted(answer);
    } else {
        message_refused(answer, "end of DATA command");
    }
}

// What flags=DOR of master.cf asks for. With several recipients D and O would tell each of the others.
std::string session::envelope_headers() const {
    const auto wanted = [&](char flag) { return settings_.flags.find(flag) != std::string::npos; };
    std::string out;
    if (wanted('R')) out += fmt::format("Return-Path: <{}>\r\n", address::path_822(account_.about().sender()));
    if (open_.empty()) return out;
    const std::string& original = account_.about().recipient(open_.front()).original;
    if (wanted('O') && !original.empty()) out += fmt::format("X-Original-To: {}\r\n", address::path_822(original));
    if (wanted('D')) out += fmt::format("Delivered-To: {}\r\n", address::path_822(open_.front().address));
    return out;
}

// A server that leaves in the middle of a message may have said why before it went.
task<void> session::lost_in_content(io_error error) {
    reply last_words;
    io_error reading = error;
    if (error != io_error::timed_out) reading = co_await receive_reply(last_words, settings_.data_done_timeout);
    if (reading == io_error::none && !last_words.positive()) {
        message_refused(last_words, "end of DATA command");
        broken_ = true;
        co_return;
    }
    stream_failed(error);
}

void session::message_accepted(const reply& answer) {
    for (std::size_t i = 0; i < open_.size(); ++i) delivered(i, answer);
}

// LMTP has a reply for each recipient that it took (RFC 2033 4.2); the first has come.
task<void> session::read_lmtp_replies(reply first) {
    reply answer = std::move(first);
    bool is_first = true;
    for (std::size_t i = 0; i < open_.size(); ++i) {
        if (fates_[i] != fate::open) continue;
        if (!is_first) {
            const bool answered = co_await read_reply(answer, settings_.data_done_timeout);
            if (!answered) co_return;
        }
        is_first = false;
        if (answer.positive()) {
            delivered(i, answer);
        } else {
            recipient_refused(i, answer, "end of DATA command");
        }
    }
}

void session::delivered(std::size_t index, const reply& answer) {
    if (fates_[index] != fate::open) return;
    queue::delivery_status status(answer.dsn, answer.one_line());
    status.remote_mta = host_.name;
    status.diagnostic_type = "smtp";
    status.diagnostic = answer.one_line();
    // A server that knows DSN reports the success itself. One that does not was told nothing: the report is ours.
    const bool takes_over = has(feature::dsn);
    const char* action = takes_over ? "" : settings_.is_final ? "delivered" : "relayed";
    account_.sent(open_[index], relay_, status, action);
    fates_[index] = fate::settled;
}

// Nothing more can be said to a server that waits for the rest of a message.
void session::content_failed(content_writer::problem why) {
    broken_ = true;
    if (why == content_writer::problem::nesting) {
        settle_open({"5.6.0", "MIME nesting exceeds safety limit"}, false);
        return;
    }
    trouble_ |= data_trouble;
    settle_open({"4.3.0", fmt::format("local data error while talking to {}", name_)}, true);
}

}  // namespace mta::smtp
