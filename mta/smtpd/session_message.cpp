// mta/smtpd/session_message.cpp - what becomes of a message that has come in: its Received header, the last
// restrictions, and its way to cleanup(8) (RFC 5321 4.4).
#include <fmt/format.h>

#include "mta/address/quote.hpp"
#include "mta/address/trivial_rewrite.hpp"
#include "mta/cleanup/cleanup.hpp"
#include "mta/master/mail_system.hpp"
#include "mta/smtpd/session.hpp"
#include "mta/text/strings.hpp"

namespace mta::smtpd {

std::string session::protocol() const {
    std::string name = !extended_ ? "SMTP" : leftovers_.smtputf8 ? "UTF8SMTP" : "ESMTP";
    if (extended_ && in_tls_) name += "S";
    if (extended_ && !sasl_username_.empty()) name += "A";
    return name;
}

std::string session::received_header() const {
    const auto& zone = mail_.host().time_zone();
    std::string out;
    const bool of_v6 = client_.address.find(':') != std::string::npos;
    out += fmt::format("Received: from {} ({} [{}{}])\n", helo_.empty() ? client_.name : helo_, client_.name,
                       of_v6 ? "IPv6:" : "", client_.address);
    if (in_tls_ && options_.tls_received_header) {
        const std::size_t of_client = std::min(tls_.details.find(" client-signature"), tls_.details.size());
        out += fmt::format("\t(using {} with cipher {} ({}/{} bits)", tls_.protocol, tls_.cipher, tls_.cipher_bits,
                           tls_.algorithm_bits);
        if (of_client > 0) out += "\n\t" + tls_.details.substr(0, of_client);
        if (of_client < tls_.details.size()) out += "\n\t" + tls_.details.substr(of_client);
        out += ")\n";
        if (tls_.certificate_present) {
            const bool verified = tls_.trust == tls::trust::trusted || tls_.trust == tls::trust::verified;
            out += fmt::format("\t(Client CN \"{}\", Issuer \"{}\" ({}))\n", tls_.peer_common_name,
                               tls_.issuer_common_name, verified ? "verified OK" : "not verified");
        } else {
            out += options_.tls_ask_certificate ? "\t(Client did not present a certificate)\n"
                                                : "\t(No client certificate requested)\n";
        }
    }
    if (options_.sasl_header && !sasl_username_.empty())
        out += fmt::format("\t(Authenticated sender: {})\n", sasl_username_);
    out += fmt::format("\tby {} ({}) with {} id {}", options_.myhostname, options_.mail_name, protocol(),
                       transaction_.queue_id);
    const std::string date = text::mail_date(transaction_.arrival, zone);
    if (transaction_.lost_recipients + transaction_.recipients.size() == 1) {
        out += fmt::format("\n\tfor <{}>; {}\n", address::path_822(transaction_.recipients.front().address), date);
    } else {
        out += fmt::format(";\n\t{}\n", date);
    }
    return out;
}

queue::queue_file session::envelope() const {
    const auto forwarded = [&](std::string_view name, const std::string& otherwise) {
        const auto found = forwarded_.find(name);
        return found == forwarded_.end() ? otherwise : found->second.empty() ? "unknown" : found->second;
    };
    queue::queue_file made;
    made.id = transaction_.queue_id;
    made.arrived = transaction_.arrival;
    made.sender = *transaction_.sender;
    made.recipients = transaction_.recipients;
    queue::origin& from = made.from;
    from.client_name = forwarded("NAME", client_.name);
    from.client_address = forwarded("ADDR", client_.address);
    from.client_port = forwarded("PORT", std::to_string(client_.port));
    from.shown_port = client_.shown_port;
    from.reverse_client_name = client_.reverse_name;
    from.helo = forwarded("HELO", helo_);
    from.protocol = forwarded("PROTO", extended_ ? "ESMTP" : "SMTP");
    from.log_identifier = forwarded("IDENT", transaction_.queue_id);
    const std::string source = forwarded("SOURCE", transaction_.local_client ? "LOCAL" : "REMOTE");
    from.local = text::equal_ignoring_case(source, "LOCAL");
    from.sasl_method = sasl_method_;
    from.sasl_username = sasl_username_;
    const auto& command = transaction_.mail;
    if (command.auth) from.sasl_sender = *command.auth;
    if (command.body != address::body_type::unspecified) {
        made.encoding = command.body == address::body_type::eight_bit_mime ? "8bit" : "7bit";
    }
    made.smtputf8 = command.smtputf8;
    made.verp_delimiters = command.verp_delimiters.value_or("");
    made.envelope_id = command.envid;
    if (command.ret == address::dsn_ret::full) made.returns = queue::return_content::full;
    if (command.ret == address::dsn_ret::headers) made.returns = queue::return_content::headers;
    made.content_filter = options_.content_filter;
    return made;
}

namespace {

cleanup::table_actions for_cleanup(const message_effects& effects) {
    cleanup::table_actions made;
    made.hold = effects.hold;
    made.discard = effects.discard;
    made.filter = effects.filter;
    made.redirect = effects.redirect;
    return made;
}

}  // namespace

// What access tables wanted so far goes to cleanup before the content; the end of data may want more. A message that is
// held stays so: no later HOLD is told.
void session::begin_content() {
    message_effects& effects = memory_.effects;
    transaction_.early = for_cleanup(effects);
    effects.filter.clear();
    effects.redirect.clear();
    transaction_.content.clear();
    for (const std::string& each : effects.prepend) transaction_.content += each + "\n";
    transaction_.content += received_header();
}

cleanup::incoming session::for_queue() {
    cleanup::incoming message;
    message.envelope = envelope();
    message.content = std::move(transaction_.content);
    message.wanted = options_.overrides;
    message.service = options_.cleanup_service;
    message.early = transaction_.early;
    return message;
}

// BCC comes after the content, and "tell the sender nothing" after each: the first copy goes without.
void session::add_copies(cleanup::incoming& message) const {
    auto& recipients = message.envelope.recipients;
    message.first_extracted = recipients.size();
    bool first = true;
    for (const std::string& each : memory_.effects.bcc) {
        queue::recipient to;
        to.address = each;
        if (!first) to.notify = queue::notify_never;
        first = false;
        recipients.push_back(std::move(to));
    }
}

// cleanup(8) has read along, and learns now that there is no more.
void session::abandon_message() {
    cleanup::incoming message = for_queue();
    transaction_.queue_id.clear();
    message.cut_short = true;
    mail_.cleanup().take(std::move(message));
}

// A refusal at the end of data ends the message and not the transaction: the sender stays, and MAIL is refused as
// nested. Recipients still count, but the next message has only those that come now.
void session::lose_message() {
    std::string id = transaction_.queue_id;
    abandon_message();
    transaction lost = std::exchange(transaction_, {});
    transaction_.sender = std::move(lost.sender);
    transaction_.sender_as_sent = std::move(lost.sender_as_sent);
    transaction_.mail = lost.mail;
    transaction_.local_client = lost.local_client;
    transaction_.lost_id = std::move(id);
    transaction_.first_recipient = std::move(lost.first_recipient);
    transaction_.lost_recipients = lost.lost_recipients + lost.recipients.size();
}

// Postfix 3.7 writes on to the message that it lost.
session::verdict session::crash() {
    died_ = true;
    death_ = "killed by signal 11";
    return verdict::quit;
}

bool session::rejects_newlines() const {
    return checks_bare_newline_ && options_.bare_newline == bare_newline::rejected && transaction_.bare_newline;
}

session::verdict session::reject_newlines() {
    log_rejection(where_, "bare <LF> received");
    const verdict last =
        refuse(fmt::format("{} 5.5.2 {} Error: bare <LF> received", options_.bare_newline_code, options_.myhostname));
    reset_transaction();
    return last;
}

task<session::verdict> session::finish_message() {
    if (rejects_newlines()) co_return reject_newlines();
    if (transaction_.too_big) {
        const verdict last = refuse("552 5.3.4 Error: message file too big", notice::bounce);
        reset_transaction();
        co_return last;
    }
    const access_facts known = facts();
    const decision decided = co_await server_.restrictions().check(stage::end_of_data, known, process_);
    if (decided.refused()) {
        lose_message();
        co_return refuse(decided);
    }
    co_return hand_over();
}

session::verdict session::hand_over() {
    const std::string id = transaction_.queue_id;
    const bool chunked = chunks_ != chunks::none;
    const std::int64_t size = transaction_.size;
    cleanup::incoming message = for_queue();
    message.late = for_cleanup(memory_.effects);
    add_copies(message);
    const cleanup::result taken = mail_.cleanup().take(std::move(message));
    transaction_.queue_id.clear();
    if (taken.status == cleanup::status::ok) {
        errors_ = junk_ = 0;
        seen_notices_ = 0;
        reply(chunked ? fmt::format("250 2.0.0 Ok: {} bytes queued as {}", size, id)
                      : fmt::format("250 2.0.0 Ok: queued as {}", id));
        reset_transaction();
        flush_history(options_.history_limit);
        return verdict::good;
    }
    notice why = notice::bounce;
    switch (taken.status) {
        case cleanup::status::rejected:
        case cleanup::status::deferred:
            why = notice::policy;
            break;
        case cleanup::status::bad:
            why = notice::software;
            break;
        case cleanup::status::write_error:
            why = notice::resource;
            break;
        default:
            break;
    }
    const verdict last = refuse(taken.smtp_reply(), why);  // its footer still knows the message
    reset_transaction();
    flush_history(options_.history_limit);
    return last;
}

}  // namespace mta::smtpd
