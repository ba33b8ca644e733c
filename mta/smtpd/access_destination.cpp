// May mail go there: the relay restrictions (postconf(5): permit_auth_destination, reject_unauth_destination,
// permit_mx_backup).
#include <fmt/format.h>

#include <algorithm>

#include "mta/address/trivial_rewrite.hpp"
#include "mta/smtpd/access_evaluation.hpp"
#include "mta/text/strings.hpp"

namespace mta::smtpd {
namespace {

bool ends_here(address::domain_class domain) {
    return domain == address::domain_class::local || domain == address::domain_class::virtual_alias ||
           domain == address::domain_class::virtual_mailbox;
}

constexpr std::size_t most_resolved = 100;  // that a process remembers

}  // namespace

std::shared_ptr<const address::resolved> ask_rewrite(master::mail_system& mail, access_settings& settings,
                                                     std::string_view sender, std::string_view recipient,
                                                     const maillog::process& by) {
    std::shared_ptr<const address::resolved> made = mail.rewrite().resolve_folded(sender, recipient);
    if (made->warnings.empty()) return made;
    auto& known = settings.process(by.pid).resolved;
    if (known.size() >= most_resolved) known.clear();
    if (!known.emplace(sender, recipient).second) return made;
    for (const std::string& each : made->warnings) mail.warn(mail.process_of("trivial-rewrite"), each);
    return made;
}

// As smtpd asks trivial-rewrite(8), in lower case.
std::shared_ptr<const address::resolved> evaluation::resolve(std::string_view sender,
                                                             std::string_view recipient) const {
    return ask_rewrite(mail_, settings_, sender, recipient, by_);
}

std::string_view evaluation::counterpart(reply_class about) const {
    const std::optional<std::string>& other = about == reply_class::sender ? recipient_ : sender_;
    return other ? std::string_view(*other) : std::string_view();
}

// permit: ours or to relay; reject: the lookup failed and was answered so.
verdict evaluation::authorized(std::string_view recipient) {
    const auto to = resolve(counterpart(reply_class::recipient), recipient);
    if (to->flags.failed) return lookup_error(recipient);
    if (to->recipient.find('@') == std::string::npos) return verdict::permit;
    if (!settings_.allow_untrusted_routing && to->flags.routed) return verdict::dunno;
    return ends_here(to->domain) || to->domain == address::domain_class::relay ? verdict::permit : verdict::dunno;
}

verdict evaluation::permit_auth_destination(const call& c) {
    const std::string* recipient = address_of(party::recipient);
    if (!recipient) return verdict::dunno;
    const verdict got = authorized(*recipient);
    return got == verdict::permit ? permitted(c.what.name, reply_class::recipient, *recipient) : got;
}

verdict evaluation::reject_unauth_destination(const call&) {
    const std::string* recipient = address_of(party::recipient);
    if (!recipient) return verdict::dunno;
    const verdict got = authorized(*recipient);
    if (got != verdict::dunno) return got == verdict::permit ? verdict::dunno : got;
    return refuse(refusal_cause::policy, settings_.relay_code, "5.7.1",
                  fmt::format("<{}>: Relay access denied", *recipient));
}

verdict evaluation::defer_unauth_destination(const call&) {
    const std::string* recipient = address_of(party::recipient);
    if (!recipient) return verdict::dunno;
    const verdict got = authorized(*recipient);
    if (got != verdict::dunno) return got == verdict::permit ? verdict::dunno : got;
    constexpr int from_lasting_to_passing = 100;
    return refuse(refusal_cause::policy, settings_.relay_code - from_lasting_to_passing, "4.7.1",
                  fmt::format("<{}>: Relay access denied", *recipient));
}

verdict evaluation::check_relay_domains(const call& c) {
    const std::string* recipient = address_of(party::recipient);
    if (!recipient) return verdict::dunno;
    warn_once("check_relay_domains",
              fmt::format("support for restriction \"check_relay_domains\" will be removed from {}; use "
                          "\"reject_unauth_destination\" instead",
                          settings_.mail_name));
    const table::list_match match = settings_.relay_domains.match(facts_.client->name);
    warn_all(match.warnings);
    if (match.matched()) return permitted(c.what.name, reply_class::client, facts_.client->name_and_address());
    const verdict got = authorized(*recipient);
    if (got != verdict::dunno) return got;
    return refuse_about(settings_.relay_code, "5.7.1", *recipient, reply_class::recipient, "Relay access denied");
}

// Names first; addresses, which cost a lookup each, only when no name is ours. An exchanger without address may be
// ours: then no refusal is final.
task<bool> evaluation::any_is_us(std::vector<dns::record> exchangers, const subject& about) {
    for (const dns::record& each : exchangers) {
        if (is_local_domain(each.target)) co_return true;
    }
    for (const dns::record& each : exchangers) {
        const host_addresses found = co_await addresses_of(each.target);
        if (found.addresses.empty()) {
            defer_later_if_reject(450, "4.4.4",
                                  fmt::format("<{}>: {} rejected: Unable to look up mail exchanger host {}: {}",
                                              about.name, name_of(about.about), each.target, found.error));
        }
        for (const std::string& one : found.addresses) {
            if (mail_.rewrite().is_own_address(one)) co_return true;
        }
    }
    co_return false;
}

task<bool> evaluation::all_in_networks(std::vector<dns::record> exchangers, const subject& about) {
    for (const dns::record& each : exchangers) {
        const host_addresses found = co_await addresses_of(each.target);
        if (found.addresses.empty()) {
            defer_later_if_reject(450, "4.4.4",
                                  fmt::format("<{}>: {} rejected: Unable to look up host {} as mail exchanger: {}",
                                              about.name, name_of(about.about), each.target, found.error));
            co_return false;
        }
        for (const std::string& one : found.addresses) {
            const table::list_match match = settings_.mx_networks.match(one);
            warn_all(match.warnings);
            if (match.failed()) {
                defer_later_if_reject(450, "4.4.4",
                                      fmt::format("<{}>: {} rejected: Unable to verify host {} as mail exchanger",
                                                  about.name, name_of(about.about), each.target));
            }
            if (!match.matched()) co_return false;
        }
    }
    co_return true;
}

task<verdict> evaluation::permit_mx_backup(const call& c) {
    const std::string* recipient = address_of(party::recipient);
    if (!recipient) co_return verdict::dunno;
    const subject about = subject_of(party::recipient);
    const auto to = resolve(counterpart(reply_class::recipient), *recipient);
    if (to->flags.failed) co_return lookup_error(*recipient);
    const auto at = to->recipient.rfind('@');
    const bool ours = at == std::string::npos || to->domain == address::domain_class::local;
    const bool routed = !settings_.allow_untrusted_routing && to->flags.routed;
    if (!ours && routed) co_return verdict::dunno;
    if (ours || ends_here(to->domain) || to->domain == address::domain_class::relay) {
        co_return permitted(c.what.name, about.about, about.name);
    }
    const std::string domain = to->recipient.substr(at + 1);
    if (!domain.empty() && domain.front() == '[' && domain.back() == ']') co_return verdict::dunno;
    const dns::response got = co_await ask(domain, dns::record_type::mx);
    if (got.not_found() || got.state == dns::status::null_mx) co_return verdict::dunno;
    if (!got.ok()) {
        defer_later_if_reject(450, "4.4.4",
                              fmt::format("<{}>: {} rejected: Unable to look up mail exchanger information: {}",
                                          about.name, name_of(about.about), dns::text_of(got.state)));
        co_return verdict::dunno;
    }
    std::vector<dns::record> best, others;
    std::uint16_t lowest = UINT16_MAX;
    const std::vector<dns::record> all = dns::records_of(got, dns::record_type::mx);
    for (const dns::record& each : all) lowest = std::min(lowest, each.preference);
    for (const dns::record& each : all) (each.preference == lowest ? best : others).push_back(each);
    // The best exchanger is no backup: it would have to know the domain.
    const bool primary = co_await any_is_us(best, about);
    if (primary) co_return verdict::dunno;
    const bool backup = co_await any_is_us(others, about);
    if (!backup) co_return verdict::dunno;
    if (settings_.has_mx_networks) {
        const bool known = co_await all_in_networks(best, about);
        if (!known) co_return verdict::dunno;
    }
    co_return permitted(c.what.name, about.about, about.name);
}

}  // namespace mta::smtpd
