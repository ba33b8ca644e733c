// Is there such a user: reject_unlisted_sender, reject_unlisted_recipient, and the login checks of senders
// (postconf(5), ADDRESS_CLASS_README).
#include <fmt/format.h>

#include "mta/address/ip_address.hpp"
#include "mta/address/quote.hpp"
#include "mta/address/trivial_rewrite.hpp"
#include "mta/smtpd/access_evaluation.hpp"
#include "mta/table/lookup_order.hpp"
#include "mta/text/strings.hpp"
#include "mta/verify/verifier.hpp"

namespace mta::smtpd {

// resolve_local(3).
bool evaluation::is_local_domain(std::string_view domain) const {
    while (domain.size() > 1 && domain.back() == '.') domain.remove_suffix(1);
    const table::list_match match = settings_.mydestination.match(domain);
    warn_all(match.warnings);
    if (match.matched() || match.failed()) return match.matched();
    const auto literal = address::ip_address::parse_literal(domain);
    return literal && mail_.rewrite().is_own_address(literal->to_string());
}

// mail_addr_find(3) as smtpd does: a failed lookup is answered at once, in `failure`.
evaluation::known evaluation::find_in(const table::maps& maps, const std::string& address, std::string_view name,
                                      verdict& failure) {
    if (maps.empty()) return known::no;
    // All of it the service's own.
    const table::address_rules rules{settings_.delimiters(), [this](std::string_view domain) {
                                         return text::equal_ignoring_case(domain, settings_.myorigin) ||
                                                is_local_domain(domain);
                                     }};
    const table::match found = table::find_address(maps, address, rules);
    warn_all(found.result.warnings);
    if (found.failed()) {
        failure = found.result.value == table::empty_result ? configuration_error() : lookup_error(name);
        return known::failed;
    }
    if (!found.found()) return known::no;
    said_.key = found.key;
    said_.table = found.table;
    said_.value = found.result.value;
    said_.where = found.result.where;
    return known::yes;
}

verdict evaluation::unknown_user(int code, reply_class about, std::string_view recipient, std::string_view table) {
    return refuse(refusal_cause::unknown_user, code, about == reply_class::sender ? "5.1.0" : "5.1.1",
                  fmt::format("<{}>: {} rejected: User unknown{}{}", recipient, name_of(about),
                              settings_.show_table_name ? " in " : "", settings_.show_table_name ? table : ""));
}

verdict evaluation::check_known(std::string_view sender, const std::string& recipient, reply_class about) {
    const auto to = resolve(sender, recipient);
    if (to->flags.failed) return lookup_error(recipient);
    verdict failure = verdict::dunno;
    // What is rewritten or aliased is someone.
    for (const table::maps* each :
         {&settings_.recipient_canonical, about == reply_class::sender ? &settings_.sender_canonical : nullptr,
          &settings_.canonical, &settings_.virtual_aliases}) {
        if (!each) continue;
        const known listed = find_in(*each, to->recipient, recipient, failure);
        if (listed == known::failed) return failure;
        if (listed == known::yes) return verdict::dunno;
    }
    const std::string_view otherwise = about == reply_class::sender ? "5.1.0" : "5.1.1";
    if (to->transport == "error" || to->transport == "retry") {
        const bool retry = to->transport == "retry";
        const status_and_text said = split_status(to->next_hop, retry ? "4.0.0" : otherwise);
        const int code = retry ? 450 : to->domain == address::domain_class::virtual_alias ? settings_.alias_code : 550;
        return refuse(refusal_cause::unknown_user, code, fitted(said.status, about),
                      fmt::format("<{}>: {} rejected: {}", recipient, name_of(about), said.text));
    }
    const auto parts = address::split_at_domain(to->recipient);
    const bool reserved = text::equal_ignoring_case(parts.local, settings_.double_bounce_sender) ||
                          text::equal_ignoring_case(parts.local, "postmaster") ||
                          text::equal_ignoring_case(parts.local, "mailer-daemon");
    known listed = known::yes;
    switch (to->domain) {
        case address::domain_class::local:
            if (!settings_.checks_local || reserved) break;
            listed = find_in(settings_.local_recipients, to->recipient, recipient, failure);
            if (listed == known::no)
                return unknown_user(settings_.local_code, about, recipient, "local recipient table");
            break;
        case address::domain_class::virtual_mailbox:
            if (!settings_.checks_mailboxes) break;
            listed = find_in(settings_.virtual_mailboxes, to->recipient, recipient, failure);
            if (listed == known::no)
                return unknown_user(settings_.mailbox_code, about, recipient, "virtual mailbox table");
            break;
        case address::domain_class::relay:
            if (!settings_.checks_relay) break;
            listed = find_in(settings_.relay_recipients, to->recipient, recipient, failure);
            if (listed == known::no)
                return unknown_user(settings_.relay_recipient_code, about, recipient, "relay recipient table");
            break;
        default:
            break;
    }
    return listed == known::failed ? failure : verdict::dunno;
}

// Each is done once a command; under warn_if_reject it was not really done.
verdict evaluation::reject_unlisted_recipient(const call&) {
    const std::string* recipient = address_of(party::recipient);
    if (!recipient || !settings_.checks_unlisted || memory_.recipient_is_checked) return verdict::dunno;
    if (warn_only_at_ == 0) memory_.recipient_is_checked = true;
    return check_known(counterpart(reply_class::recipient), *recipient, reply_class::recipient);
}

verdict evaluation::reject_unlisted_sender(const call&) {
    const std::string* sender = address_of(party::sender);
    if (!sender || !settings_.checks_unlisted || memory_.sender_is_checked) return verdict::dunno;
    if (warn_only_at_ == 0) memory_.sender_is_checked = true;
    return check_known(counterpart(reply_class::sender), *sender, reply_class::sender);
}

// Asks verify(8) until there is an answer, or until that has taken too long (address_verify_poll_count).
task<verdict> evaluation::reject_unverified_address(const call& c) {
    const std::string* given = address_of(c.what.whose);
    if (!given) co_return verdict::dunno;
    const std::string address = *given;
    const bool of_sender = c.what.whose == party::sender;
    const std::string_view dsn = of_sender ? "4.1.7" : "4.1.1";
    const access_settings::unverified_reply& how =
        of_sender ? settings_.unverified_sender : settings_.unverified_recipient;
    const subject about = subject_of(c.what.whose);
    const std::string rejected = fmt::format("<{}>: {} rejected: ", about.name, name_of(about.about));
    std::optional<verify::answer> found;
    for (std::int64_t asked = 1;; ++asked) {
        found = mail_.verify().ask(address);
        if (!found || found->what != verify::verdict::unknown || asked >= settings_.verify_poll_count) break;
        co_await sleep_for(mail_.clock(), settings_.verify_poll_delay);
    }
    if (!found) {
        warn("verify service failure");
        co_return maybe(how.how, 450, dsn, rejected + "address verification problem");
    }
    if (found->what == verify::verdict::deliverable) co_return verdict::dunno;
    const bool lasting = found->what == verify::verdict::undeliverable;
    const int code = lasting ? how.reject_code : how.defer_code;
    const std::string& why = how.reason.empty() || code < 400 ? found->text : how.reason;
    constexpr std::size_t longest_reason = 250;
    switch (code / 100) {
        case 2:
            co_return verdict::dunno;
        case 4:
            co_return maybe(how.how, code, dsn,
                            fmt::format("{}unverified address: {:.{}}", rejected, why, longest_reason));
        default:
            co_return refuse(refusal_cause::policy, code, dsn,
                             fmt::format("{}undeliverable address: {}", rejected, why));
    }
}

// -- senders and logins -----------------------------------------------------------------------------------------------

// Who may use the sender: not_listed anyone, failed nobody for now.
evaluation::known evaluation::find_owners(std::string_view sender, std::string& owners, verdict& failure) {
    const auto from = resolve(counterpart(reply_class::sender), sender);
    if (from->flags.failed) {
        failure = lookup_error(sender);
        return known::failed;
    }
    const known listed = find_in(settings_.sender_logins, from->recipient, sender, failure);
    if (listed == known::yes) owners = said_.value;
    return listed;
}

verdict evaluation::not_owned(bool unknown_is_fine) {
    const std::string* sender = address_of(party::sender);
    if (!sender || facts_.sasl_username.empty()) return verdict::dunno;  // without a table nobody owns anything
    std::string owners;
    verdict failure = verdict::dunno;
    const known listed = find_owners(*sender, owners, failure);
    if (listed == known::failed) return failure;
    if (listed == known::no && unknown_is_fine) return verdict::dunno;
    for (const std::string_view owner : text::split(owners, text::comma_or_space)) {
        if (text::equal_ignoring_case(owner, facts_.sasl_username)) return verdict::dunno;
    }
    return refuse(refusal_cause::policy, 553, "5.7.1",
                  fmt::format("<{}>: Sender address rejected: not owned by user {}", *sender, facts_.sasl_username));
}

verdict evaluation::not_logged_in() {
    const std::string* sender = address_of(party::sender);
    if (!sender || settings_.sender_logins.empty() || !facts_.sasl_username.empty()) return verdict::dunno;
    std::string owners;
    verdict failure = verdict::dunno;
    const known listed = find_owners(*sender, owners, failure);
    if (listed == known::failed) return failure;
    if (listed == known::no) return verdict::dunno;
    return refuse(refusal_cause::policy, 553, "5.7.1",
                  fmt::format("<{}>: Sender address rejected: not logged in", *sender));
}

bool evaluation::lacks_sasl(const call& c) {
    if (!settings_.sasl_enabled) warn(fmt::format("restriction `{}' ignored: no SASL support", c.what.name));
    return !settings_.sasl_enabled;
}

verdict evaluation::reject_authenticated_sender_login_mismatch(const call& c) {
    return lacks_sasl(c) ? verdict::dunno : not_owned(false);
}

verdict evaluation::reject_known_sender_login_mismatch(const call& c) {
    if (lacks_sasl(c)) return verdict::dunno;
    return facts_.sasl_username.empty() ? not_logged_in() : not_owned(true);
}

verdict evaluation::reject_unauthenticated_sender_login_mismatch(const call& c) {
    return lacks_sasl(c) ? verdict::dunno : not_logged_in();
}

}  // namespace mta::smtpd
