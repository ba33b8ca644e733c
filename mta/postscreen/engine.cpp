// The server of few words: for clients that are not let in, or whose manners are to be seen first (postscreen_smtpd.c).
//
// It never takes mail. Every recipient gets the same refusal, which is logged with what a smtpd would know; the three
// tests of manners pass once the client has come to RCPT without a fault.
#include <fmt/format.h>

#include "mta/address/quote.hpp"
#include "mta/address/smtp_command.hpp"
#include "mta/master/mail_system.hpp"
#include "mta/postscreen/screening.hpp"
#include "mta/smtpd/access_reply.hpp"
#include "mta/text/strings.hpp"

namespace mta::postscreen {
namespace {

constexpr std::string_view unavailable = "Service unavailable - try again later";

std::string escaped(std::string_view text) {
    std::string out;
    for (const char c : text) {
        if (c == '\r') {
            out += "\\r";
        } else if (c == '\n') {
            out += "\\n";
        } else if (c >= ' ' && c < 127) {
            out += c;
        } else {
            out += fmt::format("\\{:03o}", static_cast<unsigned char>(c));
        }
    }
    return out;
}

std::string quoted_address(std::string_view given) {
    return address::path_821(address::extract_envelope_address(given).internal);
}

// The first word of what follows FROM: or TO:, or nothing where that is missing.
std::optional<std::string_view> path_of(std::string_view rest, std::string_view keyword) {
    if (!text::starts_with_ignoring_case(rest, keyword)) return std::nullopt;
    rest = text::trimmed(rest.substr(keyword.size()));
    bool quoted = false;
    for (std::size_t i = 0; i < rest.size(); ++i) {
        if (rest[i] == '"') quoted = !quoted;
        if (rest[i] == ' ' && !quoted) return rest.substr(0, i);
    }
    if (rest.empty()) return std::nullopt;
    return rest;
}

}  // namespace

std::string screening::with_footer(std::string reply) {
    if (reply.empty() || (reply[0] != '4' && reply[0] != '5')) return reply;
    std::string footer = options_.footer;
    if (!options_.footer_maps.empty()) {
        const table::match found = options_.footer_maps.find(reply);
        if (found.found()) footer = found.result.value;
    }
    if (footer.empty()) return reply;
    std::string local_time;
    text::append_syslog_stamp(local_time, mail_.now(), mail_.host().time_zone());
    const smtpd::reply_lookup find = [&](std::string_view name) -> std::optional<std::string> {
        if (name == "client_address") return address_;
        if (name == "client_port") return std::to_string(remote_.port);
        if (name == "localtime") return local_time;
        if (name == "server_name") return options_.myhostname;
        return std::nullopt;
    };
    const smtpd::expansion made = smtpd::expand_reply(footer, find, options_.expansion_filter);
    for (const std::string& each : made.unknown)
        mail_.warn(server_.process(), fmt::format("unknown macro name \"{}\" in expansion request", each));
    return made.bad ? reply : smtpd::add_footer(reply, made.text);
}

void screening::say(std::string_view reply) {
    talk_->put(with_footer(softened(reply)));
    talk_->put("\r\n");
}

task<void> screening::converse() {
    start_ = mail_.now();
    talk_ = std::make_unique<smtp_stream>(std::move(stream_), mail_.clock());
    forwards_ = false;
    if (of(test::pregreet) != state::failed) say("220 " + options_.banner);
    std::string line;
    for (;;) {
        if (!talk_->has_line()) {
            const io_error unsent = co_await talk_->flush(options_.command_time_limit);
            if (unsent != io_error::none) break;
        }
        const smtp_stream::line got = co_await talk_->read_line(line, options_.line_limit, options_.command_time_limit);
        if (got.error == io_error::timed_out) {
            log(fmt::format("COMMAND TIME LIMIT from {} after {}", client_, where_));
            failed_ = true;
            final_reply_ = fmt::format("421 4.4.2 {} Error: timeout exceeded", options_.myhostname);
            co_return;
        }
        if (!got.ok()) break;
        const char* limit = got.end == smtp_stream::line_end::none       ? "LENGTH"
                            : ++commands_ > options_.command_count_limit ? "COUNT"
                                                                         : nullptr;
        if (limit) {
            log(fmt::format("COMMAND {} LIMIT from {} after {}", limit, client_, where_));
            final_reply_ = fmt::format("421 {} {}", options_.myhostname, unavailable);
            co_return;
        }
        while (!line.empty() && line.back() == '\r') line.pop_back();
        const bool more = one_line(line, got.end == smtp_stream::line_end::lf);
        if (!more) co_return;
        if (!wants_tls_) continue;
        wants_tls_ = false;
        const bool secured = co_await start_tls();
        if (!secured) break;
    }
    co_await hang_up("tests after SMTP handshake");
}

// What a fault in a test of manners leads to. False: the client is sent away with this reply.
bool screening::misbehaved(test which, std::string_view reply_if_dropped) {
    const auto index = static_cast<std::size_t>(which);
    seen_[index] = true;
    switch (options_.actions[index]) {
        case action::ignore:
            pass(which, options_.min_ttl);  // known for as long as the shortest of all results
            return true;
        case action::enforce:
            enforce("550 5.5.1 Protocol error");
            return true;
        case action::drop:
            break;
    }
    drop(reply_if_dropped);
    return false;
}

bool screening::watches(std::string_view line, bool bare_newline) {
    const auto unseen = [&](test which) { return !seen_[static_cast<std::size_t>(which)]; };
    if (bare_newline && unseen(test::bare_newline) && todo(test::bare_newline)) {
        log(fmt::format("BARE NEWLINE from {} after {:.100}", client_, escaped(line)));
        if (!misbehaved(test::bare_newline, "521 5.5.1 Protocol error")) return false;
    }
    const std::string_view word = line.substr(0, line.find(' '));
    bool forbidden = address::looks_like_header(word);
    for (const std::string& each : options_.forbidden_commands)
        forbidden = forbidden || text::equal_ignoring_case(each, word);
    if (forbidden && unseen(test::non_smtp_command)) {
        log(fmt::format("NON-SMTP COMMAND from {} after {}: {:.100}", client_, where_, escaped(line)));
        if (!misbehaved(test::non_smtp_command, "521 5.7.0 Error: I can break rules, too. Goodbye.")) return false;
    }
    return true;
}

bool screening::one_line(std::string line, bool bare_newline) {
    if (!watches(line, bare_newline)) return false;
    const std::string_view text = text::trimmed(line);
    const auto space = text.find_first_of(" \t");
    std::string verb = text::lowered(text.substr(0, space));
    for (char& each : verb) each = each >= 'a' && each <= 'z' ? static_cast<char>(each - ('a' - 'A')) : each;
    const std::string_view rest = space == std::string_view::npos ? "" : text::trimmed(text.substr(space));
    constexpr std::string_view known[] = {"EHLO", "HELO", "MAIL", "RCPT", "DATA", "RSET",
                                          "NOOP", "VRFY", "ETRN", "BDAT", "QUIT", "STARTTLS"};
    const bool is_known = std::find(std::begin(known), std::end(known), verb) != std::end(known);
    where_ = is_known ? verb : "UNIMPLEMENTED";
    if (!talk_->unread().empty() && !seen_[static_cast<std::size_t>(test::pipelining)]) {
        log(fmt::format("COMMAND PIPELINING from {} after {}: {:.100}", client_, where_, escaped(talk_->unread())));
        if (!misbehaved(test::pipelining, "521 5.5.1 Protocol error")) return false;
    }
    return execute(verb, rest);
}

bool screening::execute(std::string_view verb, std::string_view rest) {
    if (verb == "EHLO" || verb == "HELO") {
        greet_by_name(verb == "EHLO", rest);
    } else if (verb == "NOOP") {
        say("250 2.0.0 Ok");
    } else if (verb == "QUIT") {
        final_reply_ = "221 2.0.0 Bye";
        return false;
    } else if (verb == "STARTTLS") {
        if (in_tls_) {
            say("554 5.5.1 Error: TLS already active");
        } else if (!options_.tls_available || (options_.discarded_keywords & bit(smtpd::keyword::starttls))) {
            say("502 5.5.1 Error: command not implemented");
        } else if (!options_.tls_context) {
            say("454 4.7.0 TLS not available due to local problem");
        } else {
            say("220 2.0.0 Ready to start TLS");
            wants_tls_ = true;
        }
    } else if (where_ == "UNIMPLEMENTED") {
        say("502 5.5.2 Error: command not recognized");
    } else if (options_.tls_required && !in_tls_) {
        say("530 5.7.0 Must issue a STARTTLS command first");
    } else if (verb == "RSET") {
        sender_.reset();
        say("250 2.0.0 Ok");
    } else if (verb == "MAIL") {
        mail(rest);
    } else if (verb == "RCPT") {
        rcpt(rest);
    } else if (verb == "VRFY") {
        if (options_.disable_vrfy) {
            say("502 5.5.1 VRFY command is disabled");
        } else {
            say(rest.empty() ? "501 5.5.4 Syntax: VRFY address" : rcpt_reply_);
        }
    } else if (verb == "ETRN") {
        say(rest.empty() ? "500 Syntax: ETRN domain" : "458 Unable to queue messages");
    } else {
        data(verb);
        return false;
    }
    return true;
}

void screening::greet_by_name(bool extended, std::string_view rest) {
    if (rest.empty()) return say(fmt::format("501 Syntax: {} hostname", extended ? "EHLO" : "HELO"));
    helo_ = address::printable(rest.substr(0, rest.find(' ')), options_.smtputf8);
    extended_ = extended;
    sender_.reset();
    say(extended ? ehlo_reply() : "250 " + options_.myhostname);
}

std::string screening::ehlo_reply() const {
    using smtpd::keyword;
    std::vector<std::string> lines = {options_.myhostname};
    const auto add = [&](keyword which, std::string text) {
        if (!(options_.discarded_keywords & bit(which))) lines.push_back(std::move(text));
    };
    add(keyword::size, options_.message_size_limit > 0 ? fmt::format("SIZE {}", options_.message_size_limit) : "SIZE");
    if (!options_.disable_vrfy) add(keyword::vrfy, "VRFY");
    add(keyword::etrn, "ETRN");
    if (options_.tls_available && !in_tls_) add(keyword::starttls, "STARTTLS");
    add(keyword::enhancedstatuscodes, "ENHANCEDSTATUSCODES");
    add(keyword::eightbitmime, "8BITMIME");
    add(keyword::dsn, "DSN");
    if (options_.smtputf8) add(keyword::smtputf8, "SMTPUTF8");
    add(keyword::chunking, "CHUNKING");
    std::string out;
    for (std::size_t i = 0; i < lines.size(); ++i) {
        const bool last = i + 1 == lines.size();
        out += fmt::format("250{}{}{}", last ? ' ' : '-', lines[i], last ? "" : "\r\n");
    }
    return out;
}

void screening::mail(std::string_view rest) {
    if (options_.helo_required && helo_.empty()) return say("503 5.5.1 Error: send HELO/EHLO first");
    if (sender_) return say("503 5.5.1 Error: nested MAIL command");
    const auto path = path_of(rest, "from:");
    if (!path) return say("501 5.5.4 Syntax: MAIL FROM:<address>");
    sender_ = quoted_address(*path);
    say("250 2.1.0 Ok");
}

void screening::rcpt(std::string_view rest) {
    if (!sender_) return say("503 5.5.1 Error: need MAIL command");
    const auto path = path_of(rest, "to:");
    if (!path) return say("501 5.5.4 Syntax: RCPT TO:<address>");
    log(fmt::format("NOQUEUE: reject: RCPT from {}: {}; from=<{}>, to=<{}>, proto={}, helo=<{}>", client_, rcpt_reply_,
                    *sender_, quoted_address(*path), extended_ ? "ESMTP" : "SMTP", helo_));
    // Manners are good enough for who has come this far.
    for (const test each : {test::pipelining, test::non_smtp_command, test::bare_newline}) {
        if (!seen_[static_cast<std::size_t>(each)]) pass(each, options_.lifetimes[static_cast<std::size_t>(each)]);
    }
    say(rcpt_reply_);
}

void screening::data(std::string_view verb) {
    log(fmt::format("{} without valid RCPT from {}", verb, client_));
    if (sender_) {
        final_reply_ = "554 5.5.1 Error: no valid recipients";
    } else {
        final_reply_ = verb == "DATA" ? "503 5.5.1 Error: need RCPT command" : "554 5.5.1 Error: need MAIL command";
    }
}

task<bool> screening::start_tls() {
    const io_error unsent = co_await talk_->flush(options_.command_time_limit);
    if (unsent != io_error::none) co_return false;
    const maillog::process& by = mail_.process_of("tlsproxy");
    const std::string line = "CONNECT from " + client_;
    mail_.log(by, {}, maillog::remark{maillog::level::info, line});
    const time_point deadline = mail_.now() + options_.command_time_limit;
    tls::accept_options wanted(client_, mail_.now(), deadline, mail_.host().random("tls"));
    wanted.on_key = mail_.shared().on_tls_key;
    std::unique_ptr<byte_stream> clear = talk_->release();
    tls::handshake_result result = co_await tls::accept(std::move(clear), options_.tls_context, std::move(wanted));
    for (const tls::log_line& each : result.log) {
        const auto severity = each.warning ? maillog::level::warning : maillog::level::info;
        mail_.log(by, {}, maillog::remark{severity, each.text});
    }
    if (!result.stream) co_return false;
    talk_->replace(std::move(result.stream));
    in_tls_ = true;
    helo_.clear();
    sender_.reset();
    co_return true;
}

}  // namespace mta::postscreen
