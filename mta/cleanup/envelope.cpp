// Sender, recipients and automatic copies (cleanup_addr.c, cleanup_out_recipient.c).
#include <fmt/format.h>

#include "mta/address/quote.hpp"
#include "mta/address/trivial_rewrite.hpp"
#include "mta/cleanup/passage.hpp"
#include "mta/master/mail_system.hpp"
#include "mta/text/strings.hpp"
#include "mta/verify/verifier.hpp"

namespace mta::cleanup {
void passage::note(mapping_problems& problems) {
    for (mapping_problems::warning& each : problems.warnings) warn(std::move(each.text), each.of_message);
    if (problems.failed) fail(write);
    if (problems.unreasonable) fail(deferred);
    if (!problems.reason.empty()) reason_ = problems.reason;
    problems = {};
}

// Canonical form, then the tables of its class. Incomplete envelope addresses are local ones, whoever sent them.
std::string passage::rewritten(std::string_view internal, bool as_sender) {
    std::string address = mail_.rewrite().rewrite(internal, true);
    if (as_sender && text::equal_ignoring_case(address, mail_.rewrite().rewrite("MAILER-DAEMON", true)))
        address.clear();
    if (!maps_ || (address.empty() && !as_sender)) return address;
    // The null sender is looked up too, as "".
    std::string external = address.empty() ? "\"\"" : address::quote_822_local(address);
    mapping_problems problems;
    const auto applies = [&](const address_classes& classes) {
        return as_sender ? classes.envelope_sender : classes.envelope_recipient;
    };
    const canonical_table& own = as_sender ? options_.sender_canonical : options_.recipient_canonical;
    if (applies(own.classes)) mapper_.canonicalize(external, own.maps, problems);
    if (applies(options_.canonical.classes)) mapper_.canonicalize(external, options_.canonical.maps, problems);
    if (applies(options_.masquerade_classes)) mapper_.masquerade(external, problems);
    note(problems);
    return address::unquote_822_local(external);
}

void passage::take_sender() {
    envelope_.sender = rewritten(envelope_.sender, true);
    utf8_ = utf8_ || is_beyond_ascii(envelope_.sender);
    if (!copies_ || envelope_.sender.empty()) return;
    mapping_problems problems;
    const auto copy = mapper_.find_bcc(options_.sender_bcc, envelope_.sender, problems);
    note(problems);
    if (copy) add_copy(*copy);
}

void passage::take_recipient(queue::recipient given) {
    if (given.original.empty()) given.original = given.address;
    last_recipient_ = rewritten(given.address.empty() ? options_.empty_address_recipient : given.address, false);
    has_recipient_ = true;
    utf8_ = utf8_ || is_beyond_ascii(last_recipient_);
    put_out(given, last_recipient_);
    if (!copies_ || last_recipient_.empty()) return;
    mapping_problems problems;
    const auto copy = mapper_.find_bcc(options_.recipient_bcc, last_recipient_, problems);
    note(problems);
    if (copy) add_copy(*copy);
}

void passage::add_copy(const std::string& address) {
    queue::recipient copy;
    copy.notify = queue::notify_never;
    const std::string clean = rewritten(address, false);
    copy.original = clean;
    put_out(copy, clean, true);
}

// Expands virtual aliases. RFC 3461 5.2.7.2: who asked for a success report is told of the expansion, and of no more.
void passage::put_out(const queue::recipient& given, const std::string& address, bool is_copy) {
    queue::recipient to = given;
    if (to.dsn_original.empty()) {
        const bool beyond_ascii = options_.smtputf8 && is_beyond_ascii(address);
        to.dsn_original = (beyond_ascii ? "utf-8;" : "rfc822;") + address;
    }
    std::vector<std::string> targets{address};
    if (maps_ && !options_.virtual_alias.empty()) {
        mapping_problems problems;
        targets = mapper_.expand(address, problems);
        note(problems);
    }
    if ((to.notify & queue::notify_success) != 0 && (targets.size() > 1 || targets.front() != address)) {
        queue::notice_entry expanded;
        expanded.address = address;
        if (!text::equal_ignoring_case(to.original, address)) expanded.original = to.original;
        expanded.dsn_original = to.dsn_original;
        expanded.notify = to.notify;
        expanded.action = "expanded";
        expanded.status = queue::delivery_status("2.0.0", "alias expanded");
        envelope_.traces.push_back(std::move(expanded));
        const auto rest = static_cast<std::uint8_t>(to.notify & ~queue::notify_success);
        to.notify = rest == 0 ? static_cast<std::uint8_t>(queue::notify_never) : rest;
    }
    if (targets.size() > 1 && envelope_.trace == queue::tracing::verification) return answer_probe(to, address);
    for (std::string& each : targets) {
        queue::recipient one = to;
        one.address = std::move(each);
        put_out_once(std::move(one), is_copy);
    }
}

// Who is an alias for several is someone: none of them is asked.
void passage::answer_probe(const queue::recipient& to, const std::string& address) {
    const queue::delivery_status status("2.0.0", "aliased to multiple recipients");
    mail_.verify().learn(to.original, address, verify::verdict::deliverable, status.text);
    log_outcome(address, to.original, "deliverable", status);
}

// What becomes of a recipient before any agent has seen the message.
void passage::log_outcome(std::string_view address, std::string_view original, std::string_view outcome,
                          const queue::delivery_status& status) {
    maillog::delivery told;
    told.recipient = address;
    told.original_recipient = original;
    told.relay = "none";
    told.arrived = envelope_.arrived;
    told.active = told.agent_started = told.connected = told.done = mail_.now();
    told.dsn = status.dsn;
    told.status = outcome;
    told.text = status.text;
    mail_.log(by_, envelope_.id, told);
}

// Recipients that differ in what they were called first, or in what their senders want to know, are two;
// nobody called an automatic copy anything.
void passage::put_out_once(queue::recipient to, bool is_copy) {
    std::string key = to.address;
    if (options_.enable_original_recipient)
        key = fmt::format("{}\n{}\n{}\n{}", is_copy ? "" : to.dsn_original, to.notify, to.original, to.address);
    key = text::lowered(key);
    if (duplicates_.contains(key)) return;
    if (options_.duplicate_limit == 0 || duplicates_.size() < options_.duplicate_limit)
        duplicates_.insert(std::move(key));
    recipients_.push_back(std::move(to));
}

}  // namespace mta::cleanup
