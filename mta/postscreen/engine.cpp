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
#include "mta/smtpd/ehlo_reply.hpp"
#include "mta/text/escape.hpp"
#include "mta/text/strings.hpp"

namespace mta::postscreen {
namespace {

constexpr std::string_view unavailable = "Service unavailable - try again later";

// Only blanks part the words of a command.
std::string_view word_of(std::string_view line) {
    line.remove_prefix(std::min(line.size(), line.find_first_not_of(' ')));
    return line.substr(0, line.find(' '));
}

std::string_view rest_of(std::string_view line) {
    line.remove_prefix(std::min(line.size(), line.find_first_not_of(' ')));
    line.remove_prefix(std::min(line.size(), line.find(' ')));
    line.remove_prefix(std::min(line.size(), line.find_first_not_of(' ')));
    return line.substr(0, line.find_last_not_of(' ') + 1);
}

// The address after the first colon, wherever that stands; nothing without a colon. A source route is passed over (its
// first hop), and what stands between angle brackets is taken as it is.
std::optional<std::string> address_in(std::string_view rest) {
    const auto colon = rest.find(':');
    if (colon == std::string_view::npos) return std::nullopt;
    rest = rest.substr(std::min(rest.size(), rest.find_first_not_of(" \t", colon + 1)));
    const bool bracketed = rest.starts_with('<');
    if (bracketed) rest.remove_prefix(1);
    const auto route_end = rest.starts_with('@') ? rest.find(':') : std::string_view::npos;
    if (route_end != std::string_view::npos) rest.remove_prefix(route_end + 1);
    bool quoted = false;
    std::size_t end = 0;
    for (; end < rest.size(); ++end) {
        const char c = rest[end];
        if (c == '"') quoted = !quoted;
        if (!quoted && (bracketed ? c == '>' : text::is_space(c))) break;
        if (c == '\\' && end + 1 < rest.size()) ++end;
    }
    return address::path_821(address::unquote_822_local(rest.substr(0, end)));
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
    said_ = with_footer(softened(reply));
    talk_->put(said_);
    talk_->put("\r\n");
}

void screening::record(std::string_view line, std::string_view reply) {
    if (!mail_.host().wants_commands()) return;
    const maillog::peer client{"unknown", address_};
    if (!recorded_) mail_.log(server_.process(), {}, maillog::connected{client, false}, connection_);
    recorded_ = true;
    if (!line.empty()) {
        ++answered_;
        if (reply.starts_with('2')) ++accepted_;
    }
    maillog::command told;
    told.line = maillog::without_secret(line);
    told.reply = reply;
    mail_.log(server_.process(), {}, told, connection_);
}

task<void> screening::converse() {
    start_ = mail_.now();
    talk_ = std::make_unique<smtp_stream>(std::move(stream_), mail_.clock());
    turned_away_ = !std::exchange(forwards_, false);
    if (of(test::pregreet) != state::failed) say("220 " + options_.banner);
    std::string line;
    for (;;) {
        if (!talk_->has_line()) {
            const io_error unsent = co_await talk_->flush(server_.limit(options_.command_time_limit));
            if (unsent != io_error::none) break;
        }
        const smtp_stream::line got =
            co_await talk_->read_line(line, options_.line_limit, server_.limit(options_.command_time_limit));
        if (got.error == io_error::timed_out) {
            log(fmt::format("COMMAND TIME LIMIT from {} after {}", client_, where_));
            final_reply_ = fmt::format("421 4.4.2 {} Error: timeout exceeded", options_.myhostname);
            co_return;
        }
        if (!got.ok()) break;
        if (got.end == smtp_stream::line_end::none) {
            too_much("LENGTH");
            co_return;
        }
        const bool more = one_line(line, got.end == smtp_stream::line_end::lf);
        record(line, more ? said_ : with_footer(softened(final_reply_)));
        if (!more) co_return;
        if (!wants_tls_) continue;
        wants_tls_ = false;
        const bool secured = co_await start_tls();
        if (!secured) break;
    }
    co_await hang_up("tests after SMTP handshake");
}

void screening::too_much(std::string_view of_what) {
    log(fmt::format("COMMAND {} LIMIT from {} after {}", of_what, client_, where_));
    final_reply_ = fmt::format("421 {} {}", options_.myhostname, unavailable);
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

// Manners that are bad in one way are told of once. A client that is turned away is looked at more closely than asked.
bool screening::watches(test which) {
    if (seen_[static_cast<std::size_t>(which)]) return false;
    return of(which) != state::off || (turned_away_ && which != test::bare_newline);
}

bool screening::has_manners(std::string_view line, bool bare_newline) {
    if (bare_newline && watches(test::bare_newline)) {
        log(fmt::format("BARE NEWLINE from {} after {}", client_, text::escaped(line.substr(0, 100))));
        if (!misbehaved(test::bare_newline, "521 5.5.1 Protocol error")) return false;
    }
    const std::string_view word = word_of(line), rest = rest_of(line);
    if (watches(test::non_smtp_command) &&
        (address::looks_like_header(word) || options_.forbidden_commands.match(word).matched())) {
        log(fmt::format("NON-SMTP COMMAND from {} after {}: {:.100} {:.100}", client_, where_,
                        address::printable(word, options_.smtputf8), address::printable(rest, options_.smtputf8)));
        if (!misbehaved(test::non_smtp_command, "521 5.7.0 Error: I can break rules, too. Goodbye.")) return false;
    }
    return true;
}

void screening::filter(std::string& line) {
    if (!options_.command_filter) return;
    std::string_view key = line;
    while (!key.empty() && text::is_space(key.front())) key.remove_prefix(1);
    const table::lookup_result found = options_.command_filter->lookup(key);
    for (const std::string& each : found.warnings) mail_.warn(server_.process(), each);
    if (!found.found()) return;
    log(fmt::format("{}: replacing command \"{:.100}\" with \"{:.100}\"", client_, line, found.value));
    line = found.value;
}

bool screening::one_line(std::string line, bool bare_newline) {
    filter(line);
    if (!has_manners(line, bare_newline)) return false;
    const std::string_view word = word_of(line), rest = rest_of(line);
    constexpr std::string_view known[] = {"EHLO", "HELO", "MAIL", "RCPT", "DATA", "RSET",
                                          "NOOP", "VRFY", "ETRN", "BDAT", "QUIT", "STARTTLS"};
    const auto found = std::find_if(std::begin(known), std::end(known),
                                    [&](std::string_view each) { return text::equal_ignoring_case(each, word); });
    const std::string_view verb = found == std::end(known) ? "UNIMPLEMENTED" : *found;
    const bool has_payload = verb == "BDAT";
    if (!has_payload && !talk_->unread().empty() && watches(test::pipelining)) {
        log(fmt::format("COMMAND PIPELINING from {} after {:.100}: {}", client_, word,
                        text::escaped(talk_->unread().substr(0, 100))));
        if (!misbehaved(test::pipelining, "521 5.5.1 Protocol error")) return false;
    }
    if (++commands_ > options_.command_count_limit && verb != "QUIT") {
        too_much("COUNT");
        return false;
    }
    where_ = verb;
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
        if (!rest.empty()) {
            say("501 Syntax: EHLO hostname");  // as real postscreen has it
        } else if (in_tls_) {
            say("554 5.5.1 Error: TLS already active");
        } else if (!options_.tls_available || (options_.discarded_keywords & bit(smtpd::keyword::starttls))) {
            say("502 5.5.1 Error: command not implemented");
        } else if (!ask_tlsproxy()) {
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
        data(verb, rest);
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

std::string screening::ehlo_reply() {
    using smtpd::keyword;
    smtpd::keyword_set discarded = options_.discarded_keywords;
    const table::match own = options_.discarded_by_address.find(address_);
    if (own.found()) {
        discarded = smtpd::parse_keywords(own.result.value);
        if (discarded && !(discarded & bit(keyword::silent_discard)))
            log(fmt::format("[{}]{}: discarding EHLO keywords: {}", address_, remote_.port,
                            smtpd::names_of(discarded)));
    }
    smtpd::ehlo_reply announced(options_.myhostname, discarded);
    announced.add_size(options_.message_size_limit);
    if (!options_.hides_vrfy) announced.add(keyword::vrfy, "VRFY");
    announced.add(keyword::etrn, "ETRN");
    if (options_.tls_available && !in_tls_) announced.add(keyword::starttls, "STARTTLS");
    announced.add_message_extensions(options_.smtputf8);
    return announced.text();
}

void screening::mail(std::string_view rest) {
    if (options_.helo_required && helo_.empty()) return say("503 5.5.1 Error: send HELO/EHLO first");
    if (sender_) return say("503 5.5.1 Error: nested MAIL command");
    const auto path = address_in(rest);
    if (!path) return say("501 5.5.4 Syntax: MAIL FROM:<address>");
    sender_ = *path;
    say("250 2.1.0 Ok");
}

void screening::rcpt(std::string_view rest) {
    // Manners are good enough for who has come this far.
    for (const test each : {test::pipelining, test::non_smtp_command, test::bare_newline}) {
        if (!seen_[static_cast<std::size_t>(each)]) pass(each, options_.lifetimes[static_cast<std::size_t>(each)]);
    }
    if (!sender_) return say("503 5.5.1 Error: need MAIL command");
    const auto path = address_in(rest);
    if (!path) return say("501 5.5.4 Syntax: RCPT TO:<address>");
    log(fmt::format("NOQUEUE: reject: RCPT from {}: {}; from=<{}>, to=<{}>, proto={}, helo=<{}>", client_, rcpt_reply_,
                    *sender_, *path, extended_ ? "ESMTP" : "SMTP", helo_));
    say(rcpt_reply_);
}

void screening::data(std::string_view verb, std::string_view rest) {
    log(fmt::format("{} without valid RCPT from {}", verb, client_));
    if (verb == "DATA" ? !rest.empty() : rest.empty()) {
        final_reply_ = verb == "DATA" ? "501 5.5.4 Syntax: DATA" : "501 5.5.4 Syntax: BDAT count [LAST]";
        return;
    }
    if (sender_) {
        final_reply_ = "554 5.5.1 Error: no valid recipients";
    } else {
        final_reply_ = verb == "DATA" ? "503 5.5.1 Error: need RCPT command" : "554 5.5.1 Error: need MAIL command";
    }
}

}  // namespace mta::postscreen
