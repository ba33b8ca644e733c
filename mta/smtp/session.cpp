#include "mta/smtp/session.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "mta/address/quote.hpp"
#include "mta/master/mail_system.hpp"
#include "mta/text/strings.hpp"

namespace mta::smtp {
namespace {

constexpr std::size_t reply_line_limit = 2048;
constexpr std::size_t reply_lines_limit = 100;
constexpr std::size_t output_high_water = 16'384;  // of content gathered before it is written

struct ehlo_keyword {
    std::string_view name;
    feature meaning;
};
constexpr ehlo_keyword keywords[] = {{"PIPELINING", feature::pipelining},
                                     {"SIZE", feature::size},
                                     {"STARTTLS", feature::starttls},
                                     {"8BITMIME", feature::eight_bit_mime},
                                     {"DSN", feature::dsn},
                                     {"SMTPUTF8", feature::smtputf8},
                                     {"AUTH", feature::auth},
                                     {"CHUNKING", feature::chunking}};

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

session::session(master::mail_system& mail, const settings& with, delivery::report& account,
                 std::unique_ptr<byte_stream> stream, candidate host, std::uint16_t port, bool plaintext,
                 std::vector<delivery::target>& open)
    : mail_(mail),
      settings_(with),
      account_(account),
      connection_(stream->connection()),
      stream_(std::move(stream), mail.clock()),
      host_(std::move(host)),
      port_(port),
      plaintext_(plaintext),
      open_(open),
      name_(fmt::format("{}[{}]", host_.name, host_.address)),
      relay_(fmt::format("{}:{}", name_, port)) {
    account_.set_connection(connection_, 1);
}

void session::record(const reply& answer) {
    if (!mail_.host().wants_commands()) return;
    maillog::command told;
    told.at_client = true;
    if (!sent_.empty()) told.line = sent_.front();
    told.reply = answer.text;
    mail_.log(account_.agent(), account_.about().file->id, told, connection_);
    if (!sent_.empty()) sent_.erase(sent_.begin());
}

task<bool> session::read_reply(reply& into, duration timeout) {
    reply_parser parser;
    std::string line;
    for (std::size_t lines = 0; lines < reply_lines_limit; ++lines) {
        const smtp_stream::line got = co_await stream_.read_line(line, reply_line_limit, timeout);
        if (!got.ok()) {
            stream_failed(got.error);
            co_return false;
        }
        if (parser.add(line)) break;
    }
    into = parser.result();
    record(into);
    co_return true;
}

task<bool> session::exchange(std::string line, reply& into, duration timeout) {
    if (mail_.host().wants_commands()) sent_.push_back(line);
    stream_.put(line);
    stream_.put("\r\n");
    const io_error error = co_await stream_.flush(timeout);
    if (error != io_error::none) {
        stream_failed(error);
        co_return false;
    }
    co_return co_await read_reply(into, timeout);
}

task<bool> session::open() {
    reply greeting;
    const bool greeted = co_await read_reply(greeting, settings_.helo_timeout);
    if (!greeted) co_return false;
    if (!greeting.positive()) {
        if (greeting.code / 100 == 5 && settings_.skip_5xx_greeting && !greeting.dsn.empty()) {
            greeting.dsn[0] = '4';
            greeting.code -= 100;
        }
        site_refused(greeting);
        co_return false;
    }
    const bool advertised = text::lowered(greeting.text).find("esmtp") != std::string::npos;
    if ((settings_.always_send_ehlo || advertised) && !settings_.never_send_ehlo) {
        features_ |= static_cast<unsigned>(feature::esmtp);
    }
    const bool introduced = co_await hello();
    if (!introduced) co_return false;
    if (!settings_.tls_level || plaintext_) {
        if (has(feature::starttls) && settings_.note_starttls_offer) {
            mail_.log(account_.agent(), {},
                      maillog::remark{maillog::level::info, fmt::format("Host offered STARTTLS: [{}]", host_.name)});
        }
        co_return true;
    }
    co_return co_await start_tls();
}

task<bool> session::say_ehlo(std::string verb, reply& answer) {
    std::string line = std::move(verb);
    line += ' ';
    line += settings_.helo_name;
    co_return co_await exchange(std::move(line), answer, settings_.helo_timeout);
}

task<bool> session::hello() {
    reply answer;
    if (has(feature::esmtp)) {
        doing_ = settings_.lmtp ? "performing the LHLO handshake" : "performing the EHLO handshake";
        const char* verb = settings_.lmtp ? "LHLO" : "EHLO";
        const bool answered = co_await say_ehlo(verb, answer);
        if (!answered) co_return false;
        if (answer.positive()) {
            read_features(answer);
            co_return true;
        }
        if (settings_.lmtp) {
            site_refused(answer);
            co_return false;
        }
        features_ &= ~static_cast<unsigned>(feature::esmtp);
    }
    doing_ = "performing the HELO handshake";
    const bool answered_plainly = co_await say_ehlo("HELO", answer);
    if (!answered_plainly) co_return false;
    if (!answer.positive()) {
        site_refused(answer);
        co_return false;
    }
    co_return true;
}

void session::read_features(const reply& answer) {
    features_ = static_cast<unsigned>(feature::esmtp);
    size_limit_ = 0;
    const auto lines = text::split(answer.text, "\n");
    for (std::size_t i = 1; i < lines.size(); ++i) {
        if (lines[i].size() < 5) continue;
        const auto words = text::split(lines[i].substr(4), " =\t");
        if (words.empty()) continue;
        for (const ehlo_keyword& each : keywords) {
            if (text::equal_ignoring_case(words[0], each.name)) features_ |= static_cast<unsigned>(each.meaning);
        }
        if (text::equal_ignoring_case(words[0], "SIZE") && words.size() > 1)
            size_limit_ = text::to_number(words[1]).value_or(0);
    }
}

task<bool> session::start_tls() {
    const tls::security_level level = *settings_.tls_level;
    const bool required = level != tls::security_level::may;
    if (!has(feature::starttls)) {
        if (!required) co_return true;
        site_failed({"4.7.4", fmt::format("TLS is required, but was not offered by host {}", name_)});
        co_return false;
    }
    if (!settings_.tls_context) {
        if (!required) co_return true;
        site_failed({"4.7.5", "TLS is required, but our TLS engine is unavailable"});
        co_return false;
    }
    doing_ = "receiving the STARTTLS response";
    reply answer;
    const bool answered = co_await exchange("STARTTLS", answer, settings_.starttls_timeout);
    if (!answered) co_return false;
    if (!answer.positive()) {
        if (!required) co_return true;
        const std::string why =
            fmt::format("TLS is required, but host {} refused to start TLS: {}", name_, answer.one_line());
        site_failed(status_of(answer, why));
        co_return false;
    }
    const bool secured = co_await handshake();
    if (!secured) co_return false;
    in_tls_ = true;
    doing_ = "performing the EHLO handshake";
    co_return co_await hello();
}

task<bool> session::handshake() {
    const tls::security_level level = *settings_.tls_level;
    const time_point deadline = mail_.now() + settings_.starttls_timeout;
    tls::connect_options options(relay_, mail_.now(), deadline, mail_.host().random("tls"));
    options.level = level;
    options.on_key = mail_.shared().on_tls_key;
    std::unique_ptr<byte_stream> clear = stream_.release();
    tls::handshake_result result = co_await tls::connect(std::move(clear), settings_.tls_context, std::move(options));
    for (const tls::log_line& each : result.log) {
        const auto severity = each.warning ? maillog::level::warning : maillog::level::info;
        mail_.log(account_.agent(), {}, maillog::remark{severity, each.text});
    }
    if (!result.stream) {
        // Mail that has waited for a while goes in clear rather than not at all.
        const delivery::request& work = account_.about();
        retry_in_plaintext_ =
            level == tls::security_level::may && work.became_active - work.file->arrived >= settings_.minimal_backoff;
        if (retry_in_plaintext_) last_host_ = false;
        site_failed({"4.7.5", "Cannot start TLS: handshake failure"});
        co_return false;
    }
    stream_.replace(std::move(result.stream));
    maillog::tls_established told;
    told.logged = settings_.tls_log_level >= 1;
    told.at_client = true;
    told.trust = tls::name_of(result.session.trust);
    told.peer = relay_;
    told.protocol = result.session.protocol;
    told.cipher = result.session.cipher;
    told.cipher_bits = result.session.cipher_bits;
    told.algorithm_bits = result.session.algorithm_bits;
    told.details = result.session.details;
    mail_.log(account_.agent(), {}, told, connection_);
    co_return true;
}

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
        stream_.put("DATA\r\n");
        if (recorded) sent_.push_back("DATA");
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
    co_return true;
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
    doing_ = "sending DATA command";
    const bool data_answered = co_await read_reply(answer, settings_.data_init_timeout);
    if (!data_answered) co_return false;
    const bool wanted =
        mail_accepted_ && std::any_of(accepted_.begin(), accepted_.end(), [](bool each) { return each; });
    if (mail_accepted_) accept_rcpt(count, answer);
    if (answer.intermediate()) {
        if (wanted) co_return true;
        // The server waits for a message that has nobody to go to: end it at once, unread.
        ended_by_dot_ = true;
        co_await exchange(".", answer, settings_.data_done_timeout);
        co_return false;
    }
    if (wanted) message_refused(answer, "DATA command");
    co_return false;
}

void session::accept_mail(const reply& answer) {
    mail_accepted_ = answer.positive();
    if (!mail_accepted_) message_refused(answer, "MAIL FROM command");
}

// The reply to the RCPT of open_[index]; with the index past the end, takes the refused ones out of open_.
void session::accept_rcpt(std::size_t index, const reply& answer) {
    if (index < accepted_.size()) {
        accepted_[index] = answer.positive();
        if (!accepted_[index]) recipient_refused(open_[index], answer, "RCPT TO command");
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

task<void> session::quit() {
    if (!stream_.connected() || broken_) co_return;
    doing_ = "sending QUIT command";
    if (mail_.host().wants_commands()) sent_.push_back("QUIT");
    stream_.put("QUIT\r\n");
    const io_error error = co_await stream_.flush(settings_.quit_timeout);
    if (error != io_error::none || settings_.skip_quit_response) co_return;
    std::string line;
    co_await stream_.read_line(line, reply_line_limit, settings_.quit_timeout);
}

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
