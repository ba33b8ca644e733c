#include "mta/smtpd/trial.hpp"

#include <fmt/format.h>

#include "mta/address/host_name.hpp"
#include "mta/master/mail_system.hpp"
#include "mta/smtpd/server.hpp"
#include "mta/verify/verifier.hpp"

namespace mta::smtpd {
namespace {

std::string in_brackets(const std::string& address) {
    return address.starts_with('<') ? address : '<' + address + '>';
}

// soft_bounce, line by line.
void soften(std::string& reply) {
    for (std::size_t at = 0; at < reply.size();) {
        if (reply[at] == '5') {
            reply[at] = '4';
            if (reply.size() > at + 4 && reply[at + 4] == '5') reply[at + 4] = '4';
        }
        const std::size_t end = reply.find("\r\n", at);
        at = end == std::string::npos ? reply.size() : end + 2;
    }
}

}  // namespace

struct trial::conversation {
    const trial_question& asked;
    detail how;
    std::vector<trial_answer>& answers;
    access_memory memory;
    access_facts facts;
    std::optional<keyword_set> discarded = keyword_set{};  // nothing: its table cannot tell

    bool goes_on() const { return !answers.back().refused && !answers.back().closes; }

    trial_answer& next(stage at, std::string command) {
        trial_answer& made = answers.emplace_back();
        made.at = at;
        made.command = std::move(command);
        facts.trail = how == detail::trails ? &made.trail : nullptr;
        return made;
    }
};

// True: the conversation goes on.
bool trial::say(conversation& with, trial_answer& made, std::string reply, bool refused) const {
    const bool negative = !reply.empty() && (reply[0] == '4' || reply[0] == '5');
    if (negative && server_.options().has_reject_footer)
        reply = server_.restrictions().with_footer(std::move(reply), with.facts, by_);
    if (server_.options().soft_bounce) soften(reply);
    made.refused = refused;
    made.closes = made.closes || reply.starts_with("421") || reply.starts_with("521");
    made.reply = std::move(reply);
    return !made.refused && !made.closes;
}

// What a table cannot tell ends the session.
bool trial::fail(conversation& with, trial_answer& made) const {
    return say(with, made, fmt::format("421 4.3.0 {} Server local data error", server_.options().myhostname), true);
}

std::optional<address::command_line> trial::read(conversation& with, trial_answer& made, address::verb expected) const {
    const settings& options = server_.options();
    std::string text = made.command;
    const auto refuse = [&](std::string_view reply) {
        say(with, made, std::string(reply), true);
        return std::nullopt;
    };
    if (options.command_filter && options.smtputf8 && !address::valid_utf8(text))
        return refuse("500 5.5.2 Error: bad UTF-8 syntax");
    if (!server_.filter(text, with.asked.client, by_)) {
        fail(with, made);
        return std::nullopt;
    }
    auto parsed = address::parse_command(text, options.smtputf8);
    if (const auto* refused = std::get_if<address::refusal>(&parsed)) return refuse(refused->reply);
    auto& line = std::get<address::command_line>(parsed);
    if (options.noop_commands.match(line.word()).matched() || line.name == address::verb::noop) {
        say(with, made, "250 2.0.0 Ok", false);
        return std::nullopt;
    }
    if (line.name != expected) return refuse("500 5.5.2 Error: command not recognized");
    if (options.tls_required && !with.asked.tls && expected != address::verb::ehlo && expected != address::verb::helo)
        return refuse("530 5.7.0 Must issue a STARTTLS command first");
    return std::move(line);
}

// False: the restrictions said no.
task<bool> trial::restrict(conversation& with, trial_answer& made) {
    const decision decided = co_await server_.restrictions().check(made.at, with.facts, by_);
    if (!decided.refused() && !decided.hang_up && !decided.process_dies) co_return true;
    made.by_restrictions = true;
    made.closes = decided.hang_up || decided.process_dies;
    say(with, made, made.closes ? std::string() : decided.reply, true);
    co_return false;
}

task<void> trial::ask(const trial_question& what, detail how, std::vector<trial_answer>& answers,
                      message_effects* effects) {
    answers.clear();
    conversation with{what, how, answers, {}, {}};
    with.facts.client = &what.client;
    with.facts.connected_from = what.client.address;
    with.facts.memory = &with.memory;
    with.facts.server.port = server_.port();
    std::vector<std::string> complaints;
    with.discarded = server_.discarded_for(what.client.address, complaints);
    for (const std::string& each : complaints) server_.mail().warn(by_, each);
    bool goes_on = co_await greet(with);
    if (goes_on && !what.etrn_domain.empty()) {
        co_await etrn(with);
        goes_on = false;
    }
    if (goes_on) goes_on = co_await mail(with);
    if (goes_on) {
        for (const std::string& each : what.recipients) {
            co_await rcpt(with, each);
            if (answers.back().closes) break;
        }
        if (what.data && !answers.back().closes) co_await data(with);
    }
    if (effects) *effects = std::move(with.memory.effects);
}

task<bool> trial::greet(conversation& with) {
    const settings& options = server_.options();
    const trial_question& asked = with.asked;
    trial_answer& connected = with.next(stage::connect, {});
    const bool admitted = co_await restrict(with, connected);
    if (!admitted) co_return false;
    say(with, connected, "220 " + options.banner, false);
    with.facts.tls = asked.tls;
    if (!asked.login.empty()) {
        with.facts.sasl_active = options.sasl_enabled && (!options.tls_auth_only || asked.tls);
        if (with.facts.sasl_active) {
            with.facts.sasl_username = asked.login;
            with.facts.sasl_method = "PLAIN";
        }
    }
    if (asked.helo.empty()) co_return true;
    const std::string_view verb = asked.extended ? "EHLO" : "HELO";
    trial_answer& said = with.next(stage::helo, fmt::format("{} {}", verb, asked.helo));
    const auto line = read(with, said, asked.extended ? address::verb::ehlo : address::verb::helo);
    if (!line) co_return with.goes_on();
    const auto parsed = address::parse_helo(*line, options.smtputf8);
    if (const auto* refused = std::get_if<address::refusal>(&parsed)) co_return say(with, said, refused->reply, true);
    with.facts.helo = std::get<address::helo_command>(parsed).name;
    with.facts.protocol = asked.extended ? "ESMTP" : "SMTP";
    with.facts.command = verb;
    const bool taken = co_await restrict(with, said);
    with.facts.command.clear();
    if (!taken) co_return false;
    if (asked.extended && !with.discarded) co_return fail(with, said);
    co_return say(with, said, fmt::format("250{}{}", asked.extended ? '-' : ' ', options.myhostname), false);
}

task<bool> trial::mail(conversation& with) {
    const settings& options = server_.options();
    trial_answer& said = with.next(stage::mail, "MAIL FROM:" + in_brackets(with.asked.sender));
    const auto line = read(with, said, address::verb::mail);
    if (!line) co_return with.goes_on();
    if (options.helo_required && with.facts.helo.empty())
        co_return say(with, said, "503 5.5.1 Error: send HELO/EHLO first", true);
    const address::command_rules rules = server_.grammar(with.discarded.value_or(options.discarded_keywords));
    const auto parsed = address::parse_mail(*line, rules);
    if (const auto* refused = std::get_if<address::refusal>(&parsed)) co_return say(with, said, refused->reply, true);
    const auto& command = std::get<address::mail_command>(parsed);
    with.facts.sender = command.reverse_path;
    with.facts.sender_as_sent = command.as_sent;
    with.facts.smtputf8 = command.smtputf8;
    std::vector<std::string> complaints;
    const auto local = server_.rewrites_headers_for(with.facts, complaints);
    for (const std::string& each : complaints) server_.mail().warn(by_, each);
    if (local == cleanup::local_clients::answer::failed) co_return say(with, said, lookup_failed, true);
    if (server_.must_declare_utf8(command.reverse_path, with.facts.smtputf8))
        co_return say(with, said, undeclared_utf8, true);
    const bool taken = co_await restrict(with, said);
    if (!taken) co_return false;
    if (server_.too_little_space()) co_return say(with, said, "452 4.3.1 Insufficient system storage", true);
    co_return say(with, said, "250 2.1.0 Ok", false);
}

task<void> trial::rcpt(conversation& with, const std::string& recipient) {
    const settings& options = server_.options();
    trial_answer& said = with.next(stage::rcpt, "RCPT TO:" + in_brackets(recipient));
    const auto line = read(with, said, address::verb::rcpt);
    if (!line) co_return;
    if (!with.facts.sender) {
        say(with, said, "503 5.5.1 Error: need MAIL command", true);
        co_return;
    }
    const address::command_rules rules = server_.grammar(with.discarded.value_or(options.discarded_keywords));
    auto parsed = address::parse_rcpt(*line, rules, with.facts.smtputf8);
    if (const auto* refused = std::get_if<address::refusal>(&parsed)) {
        say(with, said, refused->reply, true);
        co_return;
    }
    auto& command = std::get<address::rcpt_command>(parsed);
    if (options.recipient_limit > 0 && static_cast<int>(with.facts.recipient_count) >= options.recipient_limit) {
        say(with, said, "452 4.5.3 Error: too many recipients", true);
        co_return;
    }
    command.forward_path = server_.mail().verify().without_epoch(std::move(command.forward_path));
    if (server_.must_declare_utf8(command.forward_path, with.facts.smtputf8)) {
        say(with, said, undeclared_utf8, true);
        co_return;
    }
    const auto first = std::move(with.facts.recipient);
    with.facts.recipient = command.forward_path;
    with.facts.recipient_as_sent = command.as_sent;
    const bool taken = co_await restrict(with, said);
    with.facts.recipient_as_sent.clear();
    if (taken) {
        say(with, said, "250 2.1.5 Ok", false);
        ++with.facts.recipient_count;
    }
    // After RCPT the first that was taken stands for all of them.
    if (with.facts.recipient_count == 0) {
        with.facts.recipient.reset();
    } else if (with.facts.recipient_count > 1 || !taken) {
        with.facts.recipient = first;
    }
}

task<void> trial::data(conversation& with) {
    trial_answer& said = with.next(stage::data, "DATA");
    if (with.facts.recipient_count == 0) {
        say(with, said, "554 5.5.1 Error: no valid recipients", true);
        co_return;
    }
    const bool taken = co_await restrict(with, said);
    if (!taken) co_return;
    say(with, said, "354 End data with <CR><LF>.<CR><LF>", false);
    trial_answer& ended = with.next(stage::end_of_data, ".");
    const bool queued = co_await restrict(with, ended);
    if (queued) say(with, ended, "250 2.0.0 Ok: queued as QUEUE_ID", false);
}

task<void> trial::etrn(conversation& with) {
    const settings& options = server_.options();
    trial_answer& said = with.next(stage::etrn, "ETRN " + with.asked.etrn_domain);
    const auto line = read(with, said, address::verb::etrn);
    if (!line) co_return;
    if (options.helo_required && with.facts.helo.empty()) {
        say(with, said, "503 Error: send HELO/EHLO first", true);
        co_return;
    }
    const auto parsed = address::parse_etrn(*line);
    if (const auto* refused = std::get_if<address::refusal>(&parsed)) {
        say(with, said, refused->reply, true);
        co_return;
    }
    with.facts.etrn_domain = std::get<address::etrn_command>(parsed).domain;
    const bool taken = co_await restrict(with, said);
    if (!taken) co_return;
    const table::list_match own = options.fast_flush_domains.match(with.facts.etrn_domain);
    const table::list_match of_flush = options.flush_service_domains.match(with.facts.etrn_domain);
    if (own.failed() || of_flush.failed()) {
        say(with, said, "458 Unable to queue messages", true);
    } else if (own.matched() && of_flush.matched()) {
        say(with, said, "250 Queuing started", false);
    } else {
        say(with, said, fmt::format("459 <{}>: service unavailable", with.facts.etrn_domain), true);
    }
}

}  // namespace mta::smtpd
