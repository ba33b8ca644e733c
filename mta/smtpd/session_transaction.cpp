// mta/smtpd/session_transaction.cpp - MAIL, RCPT, RSET, VRFY and ETRN (RFC 5321 4.1.1, RFC 1870, RFC 1985).
#include <fmt/format.h>

#include <algorithm>

#include "mta/address/quote.hpp"
#include "mta/anvil/anvil.hpp"
#include "mta/master/mail_system.hpp"
#include "mta/qmgr/queue_manager.hpp"
#include "mta/smtpd/session.hpp"
#include "mta/table/source_text.hpp"
#include "mta/text/strings.hpp"
#include "mta/verify/verifier.hpp"

namespace mta::smtpd {
namespace {

// What can be counted as a request for a delivery: "MAIL FROM:" with something after it.
bool has_path(const address::command_line& line, std::string_view word) {
    return line.arguments.size() >= 3 && text::equal_ignoring_case(line.arguments[1].text, word);
}

// RFC 3461 4.2: what the client called the recipient; without ORCPT, the path as it stood in RCPT.
std::string original_for_reports(const address::rcpt_command& command) {
    if (!command.orcpt_type.empty()) return fmt::format("{};{}", command.orcpt_type, command.orcpt_address);
    std::string_view path = command.as_sent;
    if (path.starts_with('<')) path.remove_prefix(1);
    if (path.ends_with('>')) path.remove_suffix(1);
    path = text::trimmed_right(path);
    return "rfc822;" + std::string(path);
}

}  // namespace

void session::reset_transaction() {
    if (!transaction_.queue_id.empty()) abandon_message();
    transaction_ = {};
    leftovers_ = {};
    recipient_.reset();
    recipient_as_sent_.clear();
    chunks_ = chunks::none;
    memory_.reset_message();
    forget_forwarded();
}

// "reject: MAIL from ..." of what the session itself refuses.
void session::log_rejection(std::string_view stage, std::string_view text) {
    std::string context;
    if (transaction_.sender) context += fmt::format("from=<{}> ", *transaction_.sender);
    if (!transaction_.first_recipient.empty()) context += fmt::format("to=<{}> ", transaction_.first_recipient);
    context += fmt::format("proto={}", extended_ ? "ESMTP" : "SMTP");
    if (!helo_.empty()) context += fmt::format(" helo=<{}>", helo_);
    maillog::verdict told;
    told.action = "reject";
    told.stage = stage;
    told.client = client_.for_log();
    told.text = text;
    told.context = context;
    log(told, logged_id());
}

bool session::lacks_storage() {
    const std::optional<std::uint64_t> free = server_.too_little_space();
    if (!free) return false;
    reset_transaction();  // the sender is not told of
    log_rejection("MAIL", "452 4.3.1 Insufficient system storage");
    warn(fmt::format("not enough free space in mail queue: {} bytes < {}*message size limit", *free, 1.5));
    return true;
}

task<session::verdict> session::mail(const address::command_line& line) {
    // Even a MAIL that is refused, nested say, undoes this; what cleanup has got already stays.
    leftovers_.smtputf8 = false;
    if (transaction_.queue_id.empty()) {
        transaction_.mail.smtputf8 = false;
        transaction_.mail.body = address::body_type::unspecified;
        transaction_.mail.ret = address::dsn_ret::unspecified;
    }
    if (options_.helo_required && helo_.empty())
        co_return refuse("503 5.5.1 Error: send HELO/EHLO first", notice::policy);
    if (in_transaction()) co_return refuse("503 5.5.1 Error: nested MAIL command");
    if (chunks_ != chunks::none) co_return refuse("503 5.5.1 Error: MAIL after BDAT");
    if (has_path(line, "from:") && limited() && options_.message_rate_limit > 0) {
        const int rate = server_.traffic().add(anvil::event::message, options_.service_name, counted_as_);
        if (rate > options_.message_rate_limit) {
            const verdict last =
                refuse(fmt::format("450 4.7.1 Error: too much mail from {}", client_.address), notice::policy);
            warn(fmt::format("Message delivery request rate limit exceeded: {} from {} for service {}", rate,
                             client_.name_and_address(), options_.service_name));
            co_return last;
        }
    }
    const address::command_rules rules = grammar();
    const auto parsed = address::parse_mail(line, rules);
    if (const auto* refused = std::get_if<address::refusal>(&parsed)) {
        leftovers_ = refused->leftovers;
        co_return refuse(*refused);
    }
    const auto& command = std::get<address::mail_command>(parsed);
    leftovers_ = command.leftovers;
    transaction_.sender = command.reverse_path;
    transaction_.sender_as_sent = command.as_sent;
    transaction_.mail = command;
    transaction_.arrival = mail_.now();
    if (options_.message_size_limit > 0 && command.size > options_.message_size_limit) {
        // A refusal as restrictions make it: soft_bounce comes before the log and the footer.
        const std::string_view refusal = options_.soft_bounce ? "452 4.3.4 Message size exceeds fixed limit"
                                                              : "552 5.3.4 Message size exceeds fixed limit";
        log_rejection("MAIL", refusal);
        transaction_ = {};
        co_return refuse(refusal, notice::policy);
    }
    const access_facts known = facts();
    std::vector<std::string> complaints;
    const auto local = server_.rewrites_headers_for(known, complaints);
    for (std::string& each : complaints) warn(std::move(each));
    if (local == cleanup::local_clients::answer::failed) {
        reset_transaction();  // the sender is not told of
        log_rejection("MAIL", lookup_failed);
        co_return refuse(lookup_failed, notice::resource);
    }
    transaction_.local_client = local == cleanup::local_clients::answer::yes;
    if (server_.must_declare_utf8(transaction_.sender.value_or(""), command.smtputf8)) {
        reset_transaction();
        co_return refuse(undeclared_utf8);
    }
    const decision decided = co_await server_.restrictions().check(stage::mail, known, process_);
    if (decided.refused()) {
        reset_transaction();
        co_return refuse(decided);
    }
    if (lacks_storage()) {
        co_return refuse("452 4.3.1 Insufficient system storage", notice::resource);
    }
    if (!options_.delays_open) begin_message();
    reply("250 2.1.0 Ok");
    co_return verdict::good;
}

// The message gets its queue id with its first recipient, or at MAIL without smtpd_delay_open_until_valid_rcpt.
void session::begin_message() {
    transaction_.queue_id = mail_.new_queue_id(mail_.now());
    transaction_.arrival = mail_.now();
    std::string more;
    if (!sasl_method_.empty()) more += ", sasl_method=" + sasl_method_;
    if (!sasl_username_.empty()) more += ", sasl_username=" + sasl_username_;
    if (transaction_.mail.auth) more += ", sasl_sender=" + *transaction_.mail.auth;
    const auto forwarded = [&](std::string_view name) {
        const auto found = forwarded_.find(name);
        return found == forwarded_.end() ? std::string() : found->second;
    };
    if (!forwarded("IDENT").empty()) more += ", orig_queue_id=" + forwarded("IDENT");
    if (forwarded_.contains("NAME") || forwarded_.contains("ADDR")) {
        const std::string name = forwarded("NAME"), address = forwarded("ADDR");
        more += ", orig_client=" + (name.empty() ? "unknown" : name) + (address.empty() ? "" : "[" + address + "]");
    }
    maillog::client_assigned told;
    told.client = client_.for_log();
    told.more = more;
    log(told, transaction_.queue_id);
}

// Counts one more recipient of the client, asked of with RCPT or VRFY; what is too many has its reply.
bool session::too_many_recipients() {
    if (!limited() || options_.recipient_rate_limit <= 0) return false;
    const int rate = server_.traffic().add(anvil::event::recipient, options_.service_name, counted_as_);
    if (rate <= options_.recipient_rate_limit) return false;
    refuse(fmt::format("450 4.7.1 Error: too many recipients from {}", client_.address), notice::policy);
    warn(fmt::format("Recipient address rate limit exceeded: {} from {} for service {}", rate,
                     client_.name_and_address(), options_.service_name));
    return true;
}

task<session::verdict> session::rcpt(const address::command_line& line) {
    if (!in_transaction()) co_return refuse("503 5.5.1 Error: need MAIL command");
    if (chunks_ != chunks::none) co_return refuse("503 5.5.1 Error: RCPT after BDAT");
    if (has_path(line, "to:") && too_many_recipients()) co_return verdict::bad;
    const address::command_rules rules = grammar();
    auto parsed = address::parse_rcpt(line, rules, leftovers_.smtputf8);
    if (const auto* refused = std::get_if<address::refusal>(&parsed)) co_return refuse(*refused);
    auto& command = std::get<address::rcpt_command>(parsed);
    const auto so_far = static_cast<int>(transaction_.lost_recipients + transaction_.recipients.size());
    if (options_.recipient_limit > 0 && so_far >= options_.recipient_limit) {
        reply("452 4.5.3 Error: too many recipients");
        if (transaction_.overshoot++ < options_.recipient_overshoot_limit) co_return verdict::good;
        note(notice::policy);
        co_return verdict::bad;
    }
    // Mail to the address that probes were sent from a while ago is mail to what stays the same of it.
    command.forward_path = mail_.verify().without_epoch(std::move(command.forward_path));
    if (server_.must_declare_utf8(command.forward_path, leftovers_.smtputf8)) co_return refuse(undeclared_utf8);
    recipient_ = command.forward_path;
    recipient_as_sent_ = command.as_sent;
    const access_facts known = facts();
    const decision decided = co_await server_.restrictions().check(stage::rcpt, known, process_);
    recipient_.reset();
    recipient_as_sent_.clear();
    if (decided.refused()) co_return refuse(decided);
    if (transaction_.queue_id.empty()) begin_message();
    if (transaction_.first_recipient.empty()) transaction_.first_recipient = command.forward_path;
    queue::recipient to;
    to.address = command.forward_path;
    to.notify = static_cast<std::uint8_t>(command.notify);
    to.dsn_original = original_for_reports(command);
    transaction_.recipients.push_back(std::move(to));
    reply("250 2.1.5 Ok");
    co_return verdict::good;
}

task<session::verdict> session::rset(const address::command_line& line) {
    const auto parsed = address::parse_bare(line);
    if (const auto* refused = std::get_if<address::refusal>(&parsed)) co_return refuse(*refused);
    flush_history(options_.history_limit);
    reset_transaction();
    reply("250 2.0.0 Ok");
    co_return verdict::good;
}

task<session::verdict> session::vrfy(const address::command_line& line) {
    if (options_.disable_vrfy) co_return refuse("502 5.5.1 VRFY command is disabled", notice::policy);
    const address::command_rules rules = grammar();
    if (address::has_vrfy_argument(line, rules) && too_many_recipients()) co_return verdict::bad;
    const auto parsed = address::parse_vrfy(line, rules);
    if (const auto* refused = std::get_if<address::refusal>(&parsed)) co_return refuse(*refused);
    const auto& command = std::get<address::vrfy_command>(parsed);
    if (server_.must_declare_utf8(command.address, command.smtputf8)) co_return refuse(undeclared_utf8);
    recipient_ = command.address;
    recipient_as_sent_ = command.as_sent;
    access_facts known = facts();
    known.smtputf8 = known.smtputf8 || command.smtputf8;
    const decision decided = co_await server_.restrictions().check(stage::vrfy, known, process_);
    recipient_.reset();
    recipient_as_sent_.clear();
    if (decided.refused()) co_return refuse(decided);
    reply(fmt::format("252 2.0.0 {}", command.as_sent));
    co_return verdict::good;
}

task<session::verdict> session::etrn(const address::command_line& line) {
    if (options_.helo_required && helo_.empty()) co_return refuse("503 Error: send HELO/EHLO first", notice::policy);
    if (in_transaction()) co_return refuse("503 Error: MAIL transaction in progress");
    const auto parsed = address::parse_etrn(line);
    if (const auto* refused = std::get_if<address::refusal>(&parsed)) co_return refuse(*refused);
    const std::string domain = std::get<address::etrn_command>(parsed).domain;
    etrn_domain_ = domain;
    const access_facts known = facts();
    const decision decided = co_await server_.restrictions().check(stage::etrn, known, process_);
    etrn_domain_.reset();
    if (decided.refused()) co_return refuse(decided);
    // flush(8) has a list of its own, main.cf's.
    for (const table::domain_list* each : {&options_.fast_flush_domains, &options_.flush_service_domains}) {
        const table::list_match flushed = each->match(domain);
        if (!flushed.failed()) continue;
        for (const std::string& complaint : flushed.warnings) warn(complaint);
        warn("unable to talk to fast flush service");
        co_return refuse("458 Unable to queue messages", notice::none);
    }
    if (!options_.fast_flush_domains.match(domain).matched() ||
        !options_.flush_service_domains.match(domain).matched()) {
        warn(fmt::format("reject: ETRN {:.100}... from {}", domain, client_.name_and_address()));
        co_return refuse(fmt::format("459 <{}>: service unavailable", domain), notice::policy);
    }
    // What flush(8) remembers of a message: the domains of the recipients that it was deferred for.
    mail_.queue_manager().flush_some([&](const queue::queue_file& file) {
        for (const queue::recipient& each : file.recipients) {
            const auto parts = address::split_at_domain(each.address);
            if (!each.done && parts.domain && text::equal_ignoring_case(*parts.domain, domain)) return true;
        }
        return false;
    });
    reply("250 Queuing started");
    co_return verdict::good;
}

}  // namespace mta::smtpd
