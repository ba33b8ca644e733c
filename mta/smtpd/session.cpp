#include "mta/smtpd/session.hpp"

#include <fmt/format.h>

#include "mta/address/quote.hpp"
#include "mta/address/trivial_rewrite.hpp"
#include "mta/cleanup/cleanup.hpp"
#include "mta/master/mail_system.hpp"
#include "mta/text/strings.hpp"

namespace mta::smtpd {
namespace {

using address::verb;

constexpr std::string_view keywords_of_disconnect[] = {"unknown", "helo", "ehlo", "starttls", "auth", "mail", "rcpt", "data",
                                                       "bdat",    "rset", "noop", "vrfy",     "etrn", "quit", "xclient", "xforward"};

}  // namespace

session::session(server& owner, const maillog::process& process, std::unique_ptr<byte_stream> stream, endpoint local,
                 endpoint remote)
    : server_(owner),
      mail_(owner.mail()),
      options_(owner.options()),
      process_(process),
      local_(local),
      remote_(remote),
      connection_(stream->connection()),
      stream_(std::move(stream), owner.mail().clock()) {}

void session::log(const maillog::event& what, std::string_view queue_id) { mail_.log(process_, queue_id, what, connection_); }

void session::reply(std::string_view text) {
    const bool refusal = text.substr(0, 1) == "4" || text.substr(0, 1) == "5";
    if (refusal && options_.has_reject_footer) {
        stream_.put(server_.restrictions().with_footer(std::string(text), facts(), process_));
    } else {
        stream_.put(text);
    }
    stream_.put("\r\n");
    if (mail_.host().wants_commands()) last_reply_ = text;
}

session::verdict session::refuse(std::string_view text) {
    reply(text);
    ++errors_;
    return text.substr(0, 3) == "421" || text.substr(0, 3) == "521" ? verdict::quit : verdict::bad;
}

session::verdict session::refuse(const address::refusal& refused) {
    if (refused.illegal_address) {
        mail_.warn(process_, fmt::format("Illegal address syntax from {} in {} command: {}", client_.name_and_address(), last_verb_,
                                         *refused.illegal_address));
    }
    return refuse(refused.reply);
}

// What ends the process, or hangs up, ends the session without a reply.
session::verdict session::refuse(const decision& decided) {
    process_died_ = process_died_ || decided.process_dies;
    if (decided.hang_up || decided.process_dies) return verdict::quit;
    return refuse(decided.reply);
}

std::string session::protocol() const {
    std::string name = !extended_ ? "SMTP" : "ESMTP";
    if (extended_ && in_tls_) name += "S";
    if (transaction_.mail.smtputf8) name = "UTF8SMTP" + name.substr(std::string_view("ESMTP").size());
    return name;
}

access_facts session::facts() {
    access_facts facts;
    facts.client = &client_;
    facts.helo = helo_;
    facts.sender = transaction_.sender;
    facts.sender_as_sent = transaction_.sender_as_sent;
    facts.protocol = extended_ ? "ESMTP" : "SMTP";
    facts.queue_id = transaction_.queue_id;
    facts.tls = in_tls_;
    facts.server = local_;
    facts.recipient_count = transaction_.recipients.size();
    facts.message_size = transaction_.mail.size;
    facts.input_waiting = !stream_.unread().empty();
    if (last_verb_ == "EHLO" || last_verb_ == "BDAT") facts.command = last_verb_;
    facts.memory = &access_memory_;
    if (!current_recipient_as_sent_.empty()) {
        facts.recipient = current_recipient_;
        facts.recipient_as_sent = current_recipient_as_sent_;
    } else if (!transaction_.recipients.empty()) {
        facts.recipient = transaction_.recipients.front().address;
    }
    return facts;
}

address::command_rules session::grammar() const {
    address::command_rules rules;
    rules.strict_rfc821_envelopes = options_.strict_envelopes;
    rules.smtputf8 = options_.smtputf8 && advertises("smtputf8");
    rules.dsn = advertises("dsn");
    rules.resolvable = [this](std::string_view internal) { return !mail_.rewrite().resolve("", internal).flags.error; };
    return rules;
}

void session::count(verb which, bool succeeded) {
    counter& of = counters_[static_cast<std::size_t>(which)];
    ++of.total;
    if (succeeded) ++of.succeeded;
}

// smtpd_error_sleep_time: a client that errs much is answered slowly.
task<void> session::penalise() {
    if (errors_ > options_.soft_error_limit) co_await sleep_for(mail_.clock(), options_.error_sleep_time);
}

task<void> session::run() {
    server_.restrictions().introduce(process_);
    const identified who = co_await identify(mail_.host(), remote_, options_.peername_lookup);
    client_ = who.client;
    if (!who.warning.empty()) mail_.warn(process_, who.warning);
    log(maillog::connected{client_.for_log()});
    verdict last = verdict::lost;
    const bool greeted = co_await greet();
    if (greeted) {
        std::string text;
        for (;;) {
            const io_error unsent = co_await stream_.flush(options_.timeout);
            error_ = unsent;
            if (error_ != io_error::none) break;
            const smtp_stream::line got = co_await stream_.read_line(text, options_.line_length_limit, options_.timeout);
            error_ = got.error;
            if (error_ != io_error::none) break;
            if (errors_ >= options_.hard_error_limit) {
                reply(fmt::format("421 4.7.0 {} Error: too many errors", options_.myhostname));
                last = verdict::quit;
                break;
            }
            const auto parsed = address::parse_command(text, options_.smtputf8);
            if (const auto* refused = std::get_if<address::refusal>(&parsed)) {
                last = refuse(*refused);
                count(verb::unknown, false);
            } else {
                const auto& line = std::get<address::command_line>(parsed);
                last_verb_ = line.name == verb::unknown ? "UNKNOWN" : std::string(address::name_of(line.name));
                last = co_await execute(line);
                count(line.name, last == verdict::good || (last == verdict::quit && line.name == verb::quit));
            }
            if (mail_.host().wants_commands()) {
                maillog::command told;
                told.line = text;
                told.reply = last_reply_;
                log(told, transaction_.queue_id);
            }
            if (last == verdict::quit || last == verdict::lost) break;
            if (last == verdict::bad) co_await penalise();
        }
    }
    if (last == verdict::quit) co_await stream_.flush(options_.timeout);
    if (!process_died_) log_end(last, error_);
}

void session::log_end(verdict last, io_error error) {
    if (last != verdict::quit) {
        if (error == io_error::timed_out) {
            maillog::connection_broken told{true, last_verb_, client_.for_log()};
            log(told);
        } else if (error != io_error::none) {
            maillog::connection_broken told{false, last_verb_, client_.for_log()};
            log(told);
        }
    }
    std::vector<maillog::command_count> counts;
    constexpr verb order[] = {verb::helo, verb::ehlo, verb::starttls, verb::auth, verb::mail, verb::rcpt,    verb::data,    verb::bdat,
                              verb::rset, verb::noop, verb::vrfy,     verb::etrn, verb::quit, verb::xclient, verb::xforward, verb::unknown};
    for (const verb each : order) {
        const counter& of = counters_[static_cast<std::size_t>(each)];
        if (of.total > 0) counts.push_back({keywords_of_disconnect[static_cast<std::size_t>(each)], of.succeeded, of.total});
    }
    maillog::disconnected told;
    told.client = client_.for_log();
    told.commands = counts;
    log(told);
}

task<bool> session::greet() {
    if (options_.tls_wrapper) {
        const bool secured = co_await tls_handshake();
        if (!secured) co_return false;
    }
    const access_facts known = facts();
    const decision decided = co_await server_.restrictions().check(stage::connect, known, process_);
    if (decided.refused()) {
        refused_at_connect_ = true;
        const verdict closing = refuse(decided);
        errors_ = 0;
        if (closing == verdict::quit) {
            co_await stream_.flush(options_.timeout);
            co_return false;
        }
    } else {
        reply("220 " + options_.banner);
    }
    co_return true;
}

task<session::verdict> session::execute(const address::command_line& line) {
    if (options_.tls_required && !in_tls_ && line.name != verb::starttls && line.name != verb::ehlo && line.name != verb::helo &&
        line.name != verb::noop && line.name != verb::quit) {
        co_return refuse("530 5.7.0 Must issue a STARTTLS command first");
    }
    if (refused_at_connect_ && line.name != verb::quit && line.name != verb::unknown) {
        co_return refuse(fmt::format("503 5.7.0 Error: access denied for {}", client_.name_and_address()));
    }
    switch (line.name) {
        case verb::helo: co_return co_await helo(line, false);
        case verb::ehlo: co_return co_await helo(line, true);
        case verb::starttls: {
            const auto parsed = address::parse_bare(line);
            if (const auto* refused = std::get_if<address::refusal>(&parsed)) co_return refuse(*refused);
            co_return co_await start_tls();
        }
        case verb::mail: co_return co_await mail(line);
        case verb::rcpt: co_return co_await rcpt(line);
        case verb::data: {
            const auto parsed = address::parse_bare(line);
            if (const auto* refused = std::get_if<address::refusal>(&parsed)) co_return refuse(*refused);
            co_return co_await data();
        }
        case verb::bdat: co_return co_await bdat(line);
        case verb::vrfy: co_return co_await vrfy(line);
        case verb::etrn: co_return co_await etrn(line);
        case verb::rset: {
            const auto parsed = address::parse_bare(line);
            if (const auto* refused = std::get_if<address::refusal>(&parsed)) co_return refuse(*refused);
            reset_transaction();
            reply("250 2.0.0 Ok");
            co_return verdict::good;
        }
        case verb::noop: reply("250 2.0.0 Ok"); co_return verdict::good;
        case verb::quit: reply("221 2.0.0 Bye"); co_return verdict::quit;
        case verb::auth: co_return refuse("503 5.5.1 Error: authentication not enabled");
        case verb::xclient:
        case verb::xforward: co_return refuse("550 5.7.0 Error: insufficient authorization");
        case verb::unknown: break;
    }
    if (address::looks_like_header(line.word())) {
        mail_.warn(process_, fmt::format("non-SMTP command from {}: {}", client_.name_and_address(), line.word()));
        reply("221 2.7.0 Error: I can break rules, too. Goodbye.");
        ++errors_;
        co_return verdict::quit;
    }
    co_return refuse("500 5.5.2 Error: command not recognized");
}

std::string session::ehlo_reply() const {
    std::vector<std::string> lines = {options_.myhostname};
    const auto add = [&](std::string_view keyword, std::string text) {
        if (advertises(keyword)) lines.push_back(std::move(text));
    };
    add("pipelining", "PIPELINING");
    add("size", options_.message_size_limit > 0 ? fmt::format("SIZE {}", options_.message_size_limit) : "SIZE");
    if (!options_.disable_vrfy) add("vrfy", "VRFY");
    add("etrn", "ETRN");
    if (options_.tls_available && options_.tls_context && !in_tls_) add("starttls", "STARTTLS");
    add("enhancedstatuscodes", "ENHANCEDSTATUSCODES");
    add("8bitmime", "8BITMIME");
    add("dsn", "DSN");
    if (options_.smtputf8) add("smtputf8", "SMTPUTF8");
    add("chunking", "CHUNKING");
    std::string out;
    for (std::size_t i = 0; i < lines.size(); ++i) {
        out += fmt::format("250{}{}{}", i + 1 < lines.size() ? '-' : ' ', lines[i], i + 1 < lines.size() ? "\r\n" : "");
    }
    return out;
}

task<session::verdict> session::helo(const address::command_line& line, bool extended) {
    const auto parsed = address::parse_helo(line);
    if (const auto* refused = std::get_if<address::refusal>(&parsed)) co_return refuse(*refused);
    reset_transaction();
    helo_ = std::get<address::helo_command>(parsed).name;
    const access_facts known = facts();
    const decision decided = co_await server_.restrictions().check(stage::helo, known, process_);
    if (decided.refused()) {
        helo_.clear();
        co_return refuse(decided);
    }
    extended_ = extended;
    reply(extended ? ehlo_reply() : "250 " + options_.myhostname);
    co_return verdict::good;
}

task<session::verdict> session::start_tls() {
    if (in_tls_) co_return refuse("554 5.5.1 Error: TLS already active");
    if (!options_.tls_available || !advertises("starttls")) co_return refuse("502 5.5.1 Error: command not implemented");
    if (!options_.tls_context) co_return refuse("454 4.7.0 TLS not available due to local problem");
    reply("220 2.0.0 Ready to start TLS");
    const io_error unsent = co_await stream_.flush(options_.timeout);
    error_ = unsent;
    if (unsent != io_error::none) co_return verdict::lost;
    helo_.clear();
    extended_ = false;
    reset_transaction();
    const bool secured = co_await tls_handshake();
    if (!secured) co_return verdict::lost;
    co_return verdict::good;
}

task<bool> session::tls_handshake() {
    const time_point deadline = mail_.now() + options_.starttls_timeout;
    tls::accept_options options(client_.name_and_address(), mail_.now(), deadline, mail_.host().random("tls"));
    options.log_untrusted = options_.tls_log_level >= 2 || options_.tls_require_client_certificate;
    options.on_key = mail_.shared().on_tls_key;
    std::unique_ptr<byte_stream> clear = stream_.release();
    tls::handshake_result result = co_await tls::accept(std::move(clear), options_.tls_context, std::move(options));
    for (const tls::log_line& each : result.log) {
        log(maillog::remark{each.warning ? maillog::level::warning : maillog::level::info, each.text});
    }
    if (!result.stream) {
        error_ = result.error == io_error::timed_out ? io_error::timed_out : io_error::end_of_stream;
        co_return false;
    }
    stream_.replace(std::move(result.stream));
    in_tls_ = true;
    tls_ = std::move(result.session);
    maillog::tls_established told;
    told.logged = options_.tls_log_level >= 1;
    told.trust = tls::name_of(tls_.trust);
    const std::string peer_name = client_.name_and_address();
    told.peer = peer_name;
    told.protocol = tls_.protocol;
    told.cipher = tls_.cipher;
    told.cipher_bits = tls_.cipher_bits;
    told.algorithm_bits = tls_.algorithm_bits;
    told.details = tls_.details;
    log(told);
    co_return true;
}

void session::reset_transaction() {
    transaction_ = {};
    access_memory_.reset_message();
    current_recipient_.clear();
    current_recipient_as_sent_.clear();
}

task<session::verdict> session::mail(const address::command_line& line) {
    if (options_.helo_required && helo_.empty()) co_return refuse("503 5.5.1 Error: send HELO/EHLO first");
    if (in_transaction()) co_return refuse("503 5.5.1 Error: nested MAIL command");
    const address::command_rules rules = grammar();
    const auto parsed = address::parse_mail(line, rules);
    if (const auto* refused = std::get_if<address::refusal>(&parsed)) co_return refuse(*refused);
    const auto& command = std::get<address::mail_command>(parsed);
    if (options_.message_size_limit > 0 && command.size > options_.message_size_limit) {
        co_return refuse("552 5.3.4 Message size exceeds fixed limit");
    }
    transaction_.sender = command.reverse_path;
    transaction_.sender_as_sent = command.as_sent;
    transaction_.mail = command;
    transaction_.arrival = mail_.now();
    const access_facts known = facts();
    const decision decided = co_await server_.restrictions().check(stage::mail, known, process_);
    if (decided.refused()) {
        reset_transaction();
        co_return refuse(decided);
    }
    reply("250 2.1.0 Ok");
    co_return verdict::good;
}

// The message gets its queue id with its first recipient.
void session::begin_message() {
    transaction_.queue_id = mail_.new_queue_id(mail_.now());
    maillog::client_assigned told;
    told.client = client_.for_log();
    log(told, transaction_.queue_id);
}

task<session::verdict> session::rcpt(const address::command_line& line) {
    if (!in_transaction()) co_return refuse("503 5.5.1 Error: need MAIL command");
    const address::command_rules rules = grammar();
    const auto parsed = address::parse_rcpt(line, rules, transaction_.mail.smtputf8);
    if (const auto* refused = std::get_if<address::refusal>(&parsed)) co_return refuse(*refused);
    const auto& command = std::get<address::rcpt_command>(parsed);
    if (static_cast<int>(transaction_.recipients.size()) >= options_.recipient_limit) {
        co_return refuse("452 4.5.3 Error: too many recipients");
    }
    current_recipient_ = command.forward_path;
    current_recipient_as_sent_ = command.as_sent;
    const access_facts known = facts();
    const decision decided = co_await server_.restrictions().check(stage::rcpt, known, process_);
    current_recipient_.clear();
    current_recipient_as_sent_.clear();
    if (decided.refused()) co_return refuse(decided);
    if (transaction_.queue_id.empty()) begin_message();
    queue::recipient to;
    to.address = command.forward_path;
    to.notify = static_cast<std::uint8_t>(command.notify);
    to.dsn_original = command.dsn_orcpt();
    transaction_.recipients.push_back(std::move(to));
    reply("250 2.1.5 Ok");
    co_return verdict::good;
}

std::string session::received_header() const {
    const auto& zone = mail_.host().time_zone();
    std::string out = fmt::format("Received: from {} ({} [{}])\n", helo_.empty() ? client_.name : helo_, client_.name, client_.address);
    if (in_tls_ && options_.tls_received_header) {
        out += fmt::format("\t(using {} with cipher {} ({}/{} bits)", tls_.protocol, tls_.cipher, tls_.cipher_bits, tls_.algorithm_bits);
        out += tls_.details.empty() ? ")\n" : fmt::format("\n\t{})\n", text::trimmed(tls_.details));
        out += "\t(No client certificate requested)\n";
    }
    out += fmt::format("\tby {} ({}) with {} id {}", options_.myhostname, options_.mail_name, protocol(), transaction_.queue_id);
    if (transaction_.recipients.size() == 1) {
        out += fmt::format("\n\tfor <{}>; {}\n", address::path_822(transaction_.recipients.front().address),
                           text::mail_date(transaction_.arrival, zone));
    } else {
        out += fmt::format(";\n\t{}\n", text::mail_date(transaction_.arrival, zone));
    }
    return out;
}

task<session::verdict> session::data() {
    if (transaction_.chunking) co_return refuse("503 5.5.1 Error: DATA after BDAT");
    if (transaction_.recipients.empty()) {
        co_return refuse(in_transaction() ? "554 5.5.1 Error: no valid recipients" : "503 5.5.1 Error: need RCPT command");
    }
    const access_facts known = facts();
    const decision decided = co_await server_.restrictions().check(stage::data, known, process_);
    if (decided.refused()) co_return refuse(decided);
    reply("354 End data with <CR><LF>.<CR><LF>");
    const io_error unsent = co_await stream_.flush(options_.timeout);
    error_ = unsent;
    if (unsent != io_error::none) co_return verdict::lost;
    std::string content = received_header();
    bool too_big = false;
    const io_error broken = co_await receive_content(content, too_big);
    error_ = broken;
    if (broken != io_error::none) {
        last_verb_ = fmt::format("DATA ({} bytes)", content.size());
        co_return verdict::lost;
    }
    last_verb_ = "END-OF-MESSAGE";
    co_return co_await finish_message(std::move(content), too_big);
}

// To the line with the dot alone; the content with LF line ends and without the dots put before dots.
task<io_error> session::receive_content(std::string& content, bool& too_big) {
    const std::size_t begin = content.size();
    std::string line;
    bool at_line_begin = true;
    for (;;) {
        const smtp_stream::line got = co_await stream_.read_line(line, options_.line_length_limit, options_.timeout);
        if (!got.ok()) co_return got.error;
        const bool whole = got.end != smtp_stream::line_end::none;
        if (at_line_begin && whole && line == "." && (got.end == smtp_stream::line_end::crlf || !options_.forbid_bare_newline)) {
            cleanup::protect_first_lines(content, begin);
            co_return io_error::none;
        }
        const bool stuffed = at_line_begin && !line.empty() && line.front() == '.';
        if (options_.message_size_limit > 0 &&
            static_cast<std::int64_t>(content.size() + line.size()) > options_.message_size_limit) {
            too_big = true;
        }
        if (!too_big) {
            content.append(line, stuffed ? 1 : 0);
            if (whole) content += '\n';
        }
        at_line_begin = whole;
    }
}

// FILTER, BCC, REDIRECT, HOLD, DISCARD and PREPEND of access(5).
void session::apply_access_actions(cleanup::incoming& message) {
    const message_effects& wanted = access_memory_.effects;
    queue::queue_file& envelope = message.envelope;
    if (!wanted.filter.empty()) envelope.content_filter = wanted.filter;
    for (const std::string& each : wanted.bcc) {
        queue::recipient copy;
        copy.address = each;
        copy.notify = queue::notify_never;
        envelope.recipients.push_back(std::move(copy));
    }
    message.redirect = wanted.redirect;
    message.hold = wanted.hold;
    message.discard = wanted.discard;
    std::string headers;
    for (const std::string& each : wanted.prepend) headers += each + "\n";
    message.content.insert(0, headers);
}

task<session::verdict> session::finish_message(std::string content, bool too_big) {
    // What was to be discarded before its content came never gets to cleanup.
    const bool discarded_early = access_memory_.effects.discard;
    const access_facts known = facts();
    const decision decided = co_await server_.restrictions().check(stage::end_of_data, known, process_);
    if (decided.refused()) {
        reset_transaction();
        co_return refuse(decided);
    }
    if (too_big) {
        reset_transaction();
        co_return refuse("552 5.3.4 Error: message file too big");
    }
    cleanup::incoming message;
    queue::queue_file& envelope = message.envelope;
    envelope.id = transaction_.queue_id;
    envelope.arrived = transaction_.arrival;
    envelope.sender = *transaction_.sender;
    envelope.recipients = std::move(transaction_.recipients);
    queue::origin& from = envelope.from;
    from.client_name = client_.name;
    from.client_address = client_.address;
    from.client_port = std::to_string(client_.port);
    from.reverse_client_name = client_.reverse_name;
    from.helo = helo_;
    from.protocol = extended_ ? "ESMTP" : "SMTP";
    cleanup::local_clients::client who;
    who.name = client_.name;
    who.address = client_.address;
    from.local = options_.local_clients->covers(who);
    const auto& command = transaction_.mail;
    if (command.body != address::body_type::unspecified) {
        envelope.encoding = command.body == address::body_type::eight_bit_mime ? "8bit" : "7bit";
    }
    envelope.smtputf8 = command.smtputf8;
    envelope.envelope_id = address::xtext_encode(command.envid, "+=");
    if (command.ret == address::dsn_ret::full) envelope.returns = queue::return_content::full;
    if (command.ret == address::dsn_ret::headers) envelope.returns = queue::return_content::headers;
    envelope.content_filter = options_.content_filter;
    message.content = std::move(content);
    apply_access_actions(message);
    const std::string id = envelope.id;
    if (discarded_early) {
        reset_transaction();
        errors_ = 0;
        reply(fmt::format("250 2.0.0 Ok: queued as {}", id));
        co_return verdict::good;
    }
    const cleanup::result taken = mail_.cleanup().take(std::move(message), mail_.process_of("cleanup"));
    reset_transaction();
    if (taken.status != cleanup::status::ok) co_return refuse(taken.smtp_reply());
    errors_ = 0;
    reply(fmt::format("250 2.0.0 Ok: queued as {}", id));
    co_return verdict::good;
}

// RFC 3030: a chunk is read whole, whether or not it is wanted.
task<session::verdict> session::bdat(const address::command_line& line) {
    const auto parsed = address::parse_bdat(line);
    if (const auto* refused = std::get_if<address::refusal>(&parsed)) co_return refuse(*refused);
    const auto& chunk = std::get<address::bdat_command>(parsed);
    const bool wanted = !transaction_.recipients.empty();
    decision decided;
    if (wanted && !transaction_.chunking) {
        const access_facts known = facts();
        const decision first = co_await server_.restrictions().check(stage::data, known, process_);
        decided = first;
        transaction_.chunking = !decided.refused();
        transaction_.pending_content = received_header();
    }
    std::string piece;
    for (std::int64_t left = chunk.size; left > 0;) {
        piece.clear();
        const io_error broken = co_await stream_.read_bytes(piece, static_cast<std::size_t>(left), options_.timeout);
        error_ = broken;
        if (broken != io_error::none) co_return verdict::lost;
        left -= static_cast<std::int64_t>(piece.size());
        const auto total = static_cast<std::int64_t>(transaction_.pending_content.size() + piece.size());
        if (options_.message_size_limit > 0 && total > options_.message_size_limit) transaction_.too_big = true;
        if (wanted && !transaction_.too_big) transaction_.pending_content += piece;
    }
    if (!wanted) {
        co_return refuse(in_transaction() ? "554 5.5.1 Error: no valid recipients" : "503 5.5.1 Error: need RCPT command");
    }
    if (decided.refused()) co_return refuse(decided);
    if (!chunk.last) {
        reply(fmt::format("250 2.0.0 Ok: {} bytes", chunk.size));
        co_return verdict::good;
    }
    std::string content = text::replaced(transaction_.pending_content, "\r\n", "\n");
    if (!content.empty() && content.back() != '\n') content += '\n';
    cleanup::protect_first_lines(content, received_header().size());
    const bool too_big = transaction_.too_big;
    co_return co_await finish_message(std::move(content), too_big);
}

task<session::verdict> session::vrfy(const address::command_line& line) {
    if (options_.disable_vrfy) co_return refuse("502 5.5.1 VRFY command is disabled");
    const address::command_rules rules = grammar();
    const auto parsed = address::parse_vrfy(line, rules);
    if (const auto* refused = std::get_if<address::refusal>(&parsed)) co_return refuse(*refused);
    const auto& command = std::get<address::vrfy_command>(parsed);
    current_recipient_ = command.address;
    current_recipient_as_sent_ = command.as_sent;
    const access_facts known = facts();
    const decision decided = co_await server_.restrictions().check(stage::vrfy, known, process_);
    current_recipient_.clear();
    current_recipient_as_sent_.clear();
    if (decided.refused()) co_return refuse(decided);
    reply(fmt::format("252 2.0.0 {}", command.address));
    co_return verdict::good;
}

task<session::verdict> session::etrn(const address::command_line& line) {
    if (helo_.empty()) co_return refuse("503 Error: send HELO/EHLO first");
    const auto parsed = address::parse_etrn(line);
    if (const auto* refused = std::get_if<address::refusal>(&parsed)) co_return refuse(*refused);
    access_facts known = facts();
    known.etrn_domain = std::get<address::etrn_command>(parsed).domain;
    const decision decided = co_await server_.restrictions().check(stage::etrn, known, process_);
    if (decided.refused()) co_return refuse(decided);
    co_return refuse(fmt::format("459 <{}>: service unavailable", std::get<address::etrn_command>(parsed).domain));
}

}  // namespace mta::smtpd
