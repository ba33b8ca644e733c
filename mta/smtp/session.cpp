#include "mta/smtp/session.hpp"

#include <fmt/format.h>

#include "mta/master/mail_system.hpp"
#include "mta/text/strings.hpp"

namespace mta::smtp {
namespace {

constexpr std::size_t reply_line_limit = 2048;
constexpr std::size_t reply_lines_limit = 100;

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

void session::put_command(std::string_view line) {
    if (mail_.host().wants_commands()) sent_.emplace_back(line);
    remember("Out: ", line);
    stream_.put(line);
    stream_.put("\r\n");
}

// Lines that are no reply are waited out; a line that is too long is cut.
task<io_error> session::receive_reply(reply& into, duration timeout) {
    reply_parser parser;
    std::string line, rest;
    for (std::size_t lines = 0; lines < reply_lines_limit; ++lines) {
        const smtp_stream::line got = co_await stream_.read_line(line, reply_line_limit, timeout);
        if (!got.ok()) co_return got.error;
        bool cut = got.end == smtp_stream::line_end::none;
        if (cut) warn_of_long_reply(line);
        while (cut) {
            const smtp_stream::line more = co_await stream_.read_line(rest, reply_line_limit, timeout);
            if (!more.ok()) co_return more.error;
            cut = more.end == smtp_stream::line_end::none;
        }
        const std::string shown = filtered_line(line);
        if (reply_filter_failed_) co_return io_error::reset;
        const reply_parser::line kind = parser.add(shown);
        if (kind == reply_parser::line::garbage) warn_of_garbage(shown);
        if (kind == reply_parser::line::last) break;
    }
    into = parser.result();
    record(into);
    co_return io_error::none;
}

task<bool> session::read_reply(reply& into, duration timeout) {
    const io_error error = co_await receive_reply(into, timeout);
    if (error != io_error::none) stream_failed(error);
    co_return error == io_error::none;
}

task<bool> session::exchange(std::string line, reply& into, duration timeout) {
    put_command(line);
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
    forwarded_.clear();
    const auto lines = text::split(answer.text, "\n");
    for (std::size_t i = 1; i < lines.size(); ++i) {
        if (lines[i].size() < 5) continue;
        const auto words = text::split(lines[i].substr(4), " =\t");
        if (words.empty()) continue;
        for (const ehlo_keyword& each : keywords) {
            if (text::equal_ignoring_case(words[0], each.name)) features_ |= static_cast<unsigned>(each.meaning);
        }
        if (text::equal_ignoring_case(words[0], "XFORWARD")) read_forwarding(words);
        if (text::equal_ignoring_case(words[0], "SIZE") && words.size() > 1)
            size_limit_ = text::to_number(words[1]).value_or(0);
    }
}

task<void> session::quit() {
    if (!stream_.connected() || broken_) co_return;
    doing_ = "sending QUIT command";
    put_command("QUIT");
    const io_error error = co_await stream_.flush(settings_.quit_timeout);
    if (error != io_error::none || settings_.skip_quit_response) co_return;
    std::string line;
    co_await stream_.read_line(line, reply_line_limit, settings_.quit_timeout);
}

}  // namespace mta::smtp
