#include "mta/smtp/session.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "mta/master/mail_system.hpp"
#include "mta/text/strings.hpp"

namespace mta::smtp {
namespace {

constexpr std::size_t reply_line_limit = 2048;
constexpr std::size_t reply_lines_limit = 100;

struct ehlo_keyword {
    std::string_view name;
    feature meaning;
    config::keyword discarded_as;
};
// Those that are only switched on; SIZE and AUTH have values.
constexpr ehlo_keyword keywords[] = {{"PIPELINING", feature::pipelining, config::keyword::pipelining},
                                     {"STARTTLS", feature::starttls, config::keyword::starttls},
                                     {"8BITMIME", feature::eight_bit_mime, config::keyword::eightbitmime},
                                     {"DSN", feature::dsn, config::keyword::dsn},
                                     {"SMTPUTF8", feature::smtputf8, config::keyword::smtputf8},
                                     {"CHUNKING", feature::chunking, config::keyword::chunking}};

}  // namespace

session::session(const session_purpose& purpose, std::unique_ptr<connection> link)
    : mail_(purpose.mail),
      settings_(purpose.with),
      account_(purpose.account),
      policy_(purpose.policy),
      destination_(purpose.destination),
      failed_logins_(purpose.failed_logins),
      open_(purpose.open),
      link_(std::move(link)),
      stream_(link_->stream),
      host_(link_->host),
      name_(link_->name),
      relay_(link_->relay) {
    account_.set_connection(link_->number, link_->uses);
}

void session::warn(std::string text) const {
    mail_.warn(account_.agent(), std::move(text));
}

void session::inform(std::string text) const {
    mail_.log(account_.agent(), {}, maillog::remark{maillog::level::info, text});
}

void session::record(const reply& answer) {
    if (!mail_.host().wants_commands()) return;
    maillog::command told;
    told.at_client = true;
    if (!sent_.empty()) told.line = sent_.front();
    told.reply = answer.text;
    mail_.log(account_.agent(), account_.about().file->id, told, link_->number);
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
        while (!cut && line.ends_with('\r')) line.pop_back();  // smtp_get(3) takes all of them off
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
    if (settings_.tls_wrapper_mode) {
        const bool secured = co_await handshake();
        if (!secured) co_return false;
    }
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
    read_greeting(greeting);
    const bool introduced = co_await hello();
    if (!introduced) co_return false;
    if (!link_->in_tls) {
        const bool safe_enough = co_await start_tls();
        if (!safe_enough) co_return false;
    }
    if (!settings_.sasl.enabled || !has(feature::auth)) co_return true;
    co_return co_await log_in();
}

// Of the words after "220": our own name, and ESMTP.
void session::read_greeting(const reply& greeting) {
    if (greeting.text.find_first_not_of("20 *\t\n") == std::string::npos) work_around_pix();
    const auto words = text::split(std::string_view(greeting.text).substr(3), "- \t\n");
    bool advertised = false;
    for (std::size_t i = 0; i < words.size(); ++i) {
        if (i == 0 && text::equal_ignoring_case(words[i], settings_.myhostname)) {
            if (settings_.detects_loops(link_->port))
                warn(fmt::format("host {} greeted me with my own hostname {}", relay_, settings_.myhostname));
        } else if (text::equal_ignoring_case(words[i], "ESMTP")) {
            advertised = true;
        }
    }
    const bool wanted = settings_.lmtp || ((advertised || settings_.always_send_ehlo) && !settings_.never_send_ehlo);
    if (wanted && !pix_without_esmtp_) set(feature::esmtp);
}

// A Cisco PIX firewall hides the server's greeting behind asterisks (smtp_pix_workarounds).
void session::work_around_pix() {
    std::string words = settings_.pix_workarounds;
    const table::match hit = settings_.pix_workaround_maps.find(host_.address);
    if (hit.found()) words = hit.result.value;
    std::string known;
    for (const std::string_view each : {"disable_esmtp", "delay_dotcrlf"}) {
        const auto given = text::split(words, text::comma_or_space);
        const bool named = std::any_of(given.begin(), given.end(),
                                       [&](std::string_view word) { return text::equal_ignoring_case(word, each); });
        if (!named) continue;
        if (!known.empty()) known += ' ';
        known += each;
        (each == "disable_esmtp" ? pix_without_esmtp_ : link_->delays_final_dot) = true;
    }
    // A young message needs no care: the firewall's trouble shows as mail that comes again and again.
    if (link_->delays_final_dot && mail_.now() - account_.about().file->arrived < settings_.pix_threshold) {
        link_->delays_final_dot = false;
        known = text::replaced(text::replaced(known, " delay_dotcrlf", ""), "delay_dotcrlf", "");
    }
    if (words.empty()) return;
    account_.remark(fmt::format("enabling PIX workarounds: {} for {}", known, relay_));
}

task<bool> session::say_ehlo(std::string verb, reply& answer) {
    std::string line = std::move(verb);
    line += ' ';
    line += settings_.helo_name;
    co_return co_await exchange(std::move(line), answer, settings_.helo_timeout);
}

// EHLO or HELO, and then, before TLS and a login, whether the message can go to such a server at all. A kept connection
// is past this: its server hears of the message and judges for itself.
task<bool> session::hello() {
    const bool introduced = co_await introduce();
    if (!introduced) co_return false;
    if (!account_.about().file->smtputf8 || has(feature::smtputf8)) co_return true;
    queue::delivery_status status("5.6.7", fmt::format("SMTPUTF8 is required, but was not offered by host {}", name_));
    settle_open(status, false);
    link_->reuse_until = {};
    co_return false;
}

task<bool> session::introduce() {
    reply answer;
    if (has(feature::esmtp)) {
        doing_ = settings_.lmtp ? "performing the LHLO handshake" : "performing the EHLO handshake";
        const char* verb = settings_.lmtp ? "LHLO" : "EHLO";
        const bool answered = co_await say_ehlo(verb, answer);
        if (!answered) co_return false;
        if (answer.positive()) co_return read_features(answer);
        if (settings_.lmtp || answer.code == 421) {
            site_refused(answer);
            co_return false;
        }
        clear(feature::esmtp);
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

// smtp_discard_ehlo_keywords, or what smtp_discard_ehlo_keyword_address_maps has for this server.
config::keyword_set session::discarded_keywords() const {
    config::keyword_set discarded = settings_.discarded_keywords;
    const table::match hit = settings_.discard_maps.find(host_.address);
    if (hit.found()) discarded = config::parse_keywords(hit.result.value);
    constexpr config::keyword_set silent = config::bit(config::keyword::silent_discard);
    if (discarded != 0 && !(discarded & silent)) inform("discarding EHLO keywords: " + config::names_of(discarded));
    return discarded & ~silent;
}

bool session::read_features(const reply& answer) {
    link_->features = static_cast<unsigned>(feature::esmtp);
    link_->size_limit = 0;
    link_->mechanisms.clear();
    link_->forwarded.clear();
    const config::keyword_set discarded = discarded_keywords();
    const auto lines = text::split(answer.text, "\n");
    for (std::size_t i = 0; i < lines.size(); ++i) {
        if (lines[i].size() < 5) continue;
        const std::string_view line = lines[i].substr(4);
        const auto words = text::split(line, " =\t");
        if (words.empty()) continue;
        if (i != 0) {
            const std::size_t after = static_cast<std::size_t>(words[0].data() - line.data()) + words[0].size();
            read_feature(words[0], text::trimmed(line.substr(std::min(after + 1, line.size()))), discarded);
        } else if (text::equal_ignoring_case(words[0], settings_.myhostname) && settings_.detects_loops(link_->port)) {
            warn(fmt::format("host {} replied to HELO/EHLO with my own hostname {}", relay_, settings_.myhostname));
            const char* dsn = link_->best_host ? "5.4.6" : "4.4.6";
            site_failed({dsn, fmt::format("mail for {} loops back to myself", account_.about().next_hop)});
            return false;
        }
    }
    if (has(feature::smtputf8) && !has(feature::eight_bit_mime)) {
        inform(fmt::format("host {} offers SMTPUTF8 support, but not 8BITMIME", name_));
        set(feature::eight_bit_mime);
    }
    return true;
}

void session::read_feature(std::string_view keyword, std::string_view rest, config::keyword_set discarded) {
    const auto allowed = [&](config::keyword which) { return (discarded & config::bit(which)) == 0; };
    for (const ehlo_keyword& each : keywords) {
        if (text::equal_ignoring_case(keyword, each.name) && allowed(each.discarded_as)) set(each.meaning);
    }
    if (text::equal_ignoring_case(keyword, "SIZE") && allowed(config::keyword::size)) {
        set(feature::size);
        const auto words = text::split(rest, " \t");
        if (words.empty()) return;
        const auto limit = text::to_number(words[0]);
        if (!limit) warn(fmt::format("bad EHLO SIZE limit \"{}\" from {}", words[0], relay_));
        link_->size_limit = limit.value_or(0);
    }
    if (text::equal_ignoring_case(keyword, "XFORWARD") && allowed(config::keyword::xforward))
        read_forwarding(text::split(rest, " =\t"));
    if (text::equal_ignoring_case(keyword, "AUTH") && settings_.sasl.enabled && allowed(config::keyword::auth))
        offered_mechanisms(rest);
}

// RSET tells whether the server is still there.
task<bool> session::probe() {
    past_mail_ = true;
    reply answer;
    const bool answered = co_await exchange("RSET", answer, settings_.rset_timeout);
    past_mail_ = false;
    co_return answered&& answer.positive();
}

bool session::reusable() const {
    return !broken_ && stream_.connected() && link_->reuse_until > mail_.now() &&
           (settings_.reuse_count_limit == 0 || link_->uses <= settings_.reuse_count_limit);
}

task<void> session::quit() {
    if (!stream_.connected() || broken_ || parts_silently_) co_return;
    doing_ = "sending QUIT command";
    put_command("QUIT");
    const io_error error = co_await stream_.flush(settings_.quit_timeout);
    if (error != io_error::none || settings_.skip_quit_response) co_return;
    std::string line;
    co_await stream_.read_line(line, reply_line_limit, settings_.quit_timeout);
}

}  // namespace mta::smtp
