// mta/smtp/session_data.cpp - the content of a message as it goes out after DATA, and the reply to the dot
// (RFC 5321 4.5.2, smtp_proto.c).
#include "mta/master/mail_system.hpp"
#include "mta/smtp/session.hpp"

namespace mta::smtp {
namespace {

constexpr std::size_t output_high_water = 16'384;  // of content gathered before it is written

}  // namespace

// The message in SMTP's form: CRLF, and a dot before a dot (RFC 5321 4.5.2).
task<bool> session::send_content() {
    doing_ = "sending message body";
    const std::string_view content = *account_.about().file->content;
    std::string& out = stream_.output();
    for (std::size_t at = 0; at < content.size();) {
        std::size_t end = content.find('\n', at);
        if (end == std::string_view::npos) end = content.size();
        if (content[at] == '.') out += '.';
        out.append(content, at, end - at);
        out += "\r\n";
        at = end + 1;
        if (out.size() >= output_high_water) {
            const io_error error = co_await stream_.flush(settings_.data_xfer_timeout);
            if (error != io_error::none) {
                stream_failed(error);
                co_return false;
            }
        }
    }
    doing_ = "sending end of data -- message may be sent more than once";
    reply answer;
    const bool answered = co_await exchange(".", answer, settings_.data_done_timeout);
    if (!answered) co_return false;
    std::vector<delivery::target> accepted, rest;
    for (std::size_t i = 0; i < open_.size(); ++i) (accepted_[i] ? accepted : rest).push_back(open_[i]);
    if (answer.positive()) {
        queue::delivery_status status(answer.dsn, answer.one_line());
        status.remote_mta = host_.name;
        status.diagnostic_type = "smtp";
        status.diagnostic = answer.text;
        // A server that does not know DSN was told nothing: the report is ours to give.
        const char* action = has(feature::dsn) ? "" : "relayed";
        for (const delivery::target& each : accepted) account_.sent(each, relay_, status, action);
        open_ = std::move(rest);
        co_return true;
    }
    open_ = std::move(accepted);
    message_refused(answer, "end of DATA command");
    open_.insert(open_.end(), rest.begin(), rest.end());
    co_return true;
}

}  // namespace mta::smtp
