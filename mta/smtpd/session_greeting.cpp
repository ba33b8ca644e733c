// mta/smtpd/session_greeting.cpp - the greeting, HELO and EHLO, and what the server offers (RFC 5321 4.1.1.1, RFC
// 1869).
#include <fmt/format.h>

#include "mta/master/mail_system.hpp"
#include "mta/smtpd/ehlo_reply.hpp"
#include "mta/smtpd/session.hpp"
#include "mta/text/strings.hpp"

namespace mta::smtpd {

bool session::limited() const {
    return counted_;
}

bool session::excepted_from_limits() {
    const table::list_match match = options_.limit_exceptions.match(client_.name, client_.address);
    for (const std::string& each : match.warnings) warn(each);
    return match.matched();
}

table::outcome session::listed(const table::name_address_list& clients) {
    const table::list_match match = clients.match(client_.name, client_.address);
    for (const std::string& each : match.warnings) warn(each);
    return match.status;
}

bool session::verp_allowed() const {
    return options_.verp_clients.match(client_.name, client_.address).matched();
}

// What EHLO would offer to some, when a list of them cannot be searched; empty when all can.
std::string_view session::doubtful_feature() {
    const bool asks = sasl_active() && advertises(keyword::auth);
    if (asks && listed(options_.sasl_exceptions) == table::outcome::error) return "AUTH";
    if (advertises(keyword::verp) && listed(options_.verp_clients) == table::outcome::error) return "XVERP";
    if (advertises(keyword::xclient) && xclient_ == table::outcome::error) return "XCLIENT";
    if (advertises(keyword::xforward) && xforward_ == table::outcome::error) return "XFORWARD";
    return {};
}

bool session::admitted() {
    if (xclient_ == table::outcome::found || excepted_from_limits()) return true;
    counted_ = true;
    counted_as_ = client_.address;
    const auto seen = server_.traffic().connect(options_.service_name, counted_as_);
    struct limit {
        const char* what;
        int number, allowed;
    };
    for (const limit& each : {limit{"concurrency", seen.open, options_.connection_count_limit},
                              limit{"rate", seen.rate, options_.connection_rate_limit}}) {
        if (each.allowed <= 0 || each.number <= each.allowed) continue;
        note(notice::policy);
        reply(fmt::format("421 4.7.0 {} Error: too many connections from {}", options_.myhostname, client_.address));
        warn(fmt::format("Connection {} limit exceeded: {} from {} for service {}", each.what, each.number,
                         client_.name_and_address(), options_.service_name));
        return false;
    }
    return true;
}

task<bool> session::greet() {
    xclient_ = listed(options_.xclient_hosts);
    checks_bare_newline_ = options_.bare_newline != bare_newline::allowed &&
                           !options_.bare_newline_exclusions.match(client_.name, client_.address).matched();
    if (options_.tls_wrapper && !options_.tls_context) {
        warn(
            fmt::format("Wrapper-mode request dropped from {} for service {}. TLS context initialization failed. For "
                        "details see earlier "
                        "warnings in your logs.",
                        client_.name_and_address(), options_.service_name));
        co_return false;
    }
    if (options_.tls_wrapper) {
        const bool secured = co_await tls_handshake();
        if (!secured || client_certificate_missing()) co_return false;
    }
    if (!admitted()) co_return false;
    std::vector<std::string> complaints;
    const std::optional<keyword_set> discarded = server_.discarded_for(client_.address, complaints);
    for (const std::string& each : complaints) warn(each);
    keywords_unknown_ = keywords_unknown_ || !discarded;
    discarded_ = discarded.value_or(options_.discarded_keywords);
    if (!activate_sasl()) co_return false;
    const access_facts known = facts();
    const decision decided = co_await server_.restrictions().check(stage::connect, known, process_);
    if (decided.hang_up || decided.process_dies) {
        died_ = decided.process_dies;
        co_return false;
    }
    if (decided.refused()) {
        denied_ = decided.reply;
        refuse(decided);
        ++errors_;
    } else {
        reply("220 " + options_.banner);
    }
    co_return true;
}

std::vector<std::string_view> session::offered_mechanisms() const {
    if (!sasl_active() || !advertises(keyword::auth)) return {};
    if (options_.sasl_exceptions.match(client_.name, client_.address).matched()) return {};
    return sasl_offer().mechanisms;
}

std::string session::greeting_by_name() {
    ehlo_reply announced(options_.myhostname, discarded_);
    announced.add(keyword::pipelining, "PIPELINING");
    announced.add_size(options_.message_size_limit);
    if (!options_.disable_vrfy) announced.add(keyword::vrfy, "VRFY");
    announced.add(keyword::etrn, "ETRN");
    if (options_.tls_available && !options_.tls_wrapper && !in_tls_) announced.add(keyword::starttls, "STARTTLS");
    const auto mechanisms = offered_mechanisms();
    if (!mechanisms.empty()) {
        announced.add(keyword::auth, fmt::format("AUTH {}", fmt::join(mechanisms, " ")));
        if (options_.sasl_broken_clients)
            announced.add(keyword::auth, fmt::format("AUTH={}", fmt::join(mechanisms, " ")));
    }
    if (verp_allowed()) announced.add(keyword::verp, "XVERP");
    if (xclient_ == table::outcome::found) {
        announced.add(keyword::xclient, "XCLIENT NAME ADDR PROTO HELO REVERSE_NAME PORT LOGIN DESTADDR DESTPORT");
    }
    if (xforward_ == table::outcome::found)
        announced.add(keyword::xforward, "XFORWARD NAME ADDR PROTO HELO SOURCE PORT IDENT");
    announced.add_message_extensions(options_.smtputf8);
    return announced.text();
}

task<session::verdict> session::helo(const address::command_line& line, bool extended) {
    const auto parsed = address::parse_helo(line, options_.smtputf8);
    if (const auto* refused = std::get_if<address::refusal>(&parsed)) co_return refuse(*refused);
    // A HELO that is refused changes nothing.
    std::string before = std::exchange(helo_, std::get<address::helo_command>(parsed).as_said);
    command_ = address::name_of(line.name);
    const access_facts known = facts();
    const decision decided = co_await server_.restrictions().check(stage::helo, known, process_);
    command_.clear();
    if (decided.refused()) {
        helo_ = std::move(before);
        co_return refuse(decided);
    }
    helo_ = std::get<address::helo_command>(parsed).name;
    flush_history(options_.history_limit);
    reset_transaction();
    // HELO after EHLO is no step back: what may be pipelined stays what it was.
    extended_ = extended_ || extended;
    // Nothing is told by a server without enhanced status codes.
    const bool tells = advertises(keyword::silent_discard) && advertises(keyword::enhancedstatuscodes);
    if (extended && discarded_ && tells) inform("discarding EHLO keywords: " + names_of(discarded_));
    if (extended && keywords_unknown_) {
        warn(fmt::format("don't know what EHLO features to announce to {}", client_.name_and_address()));
        co_return local_data_error();
    }
    const std::string_view doubtful = extended ? doubtful_feature() : std::string_view();
    if (!doubtful.empty()) {
        warn(fmt::format("don't know if EHLO feature {} should be announced to {}", doubtful,
                         client_.name_and_address()));
        co_return local_data_error();
    }
    reply(extended ? greeting_by_name() : "250 " + options_.myhostname);
    co_return verdict::good;
}

}  // namespace mta::smtpd
