// The restrictions that need no lookup: what the session itself shows (postconf(5)).
#include <fmt/format.h>

#include <algorithm>

#include "mta/address/host_name.hpp"
#include "mta/address/trivial_rewrite.hpp"
#include "mta/smtpd/access_evaluation.hpp"
#include "mta/text/strings.hpp"

namespace mta::smtpd {
namespace {

// Names may end in a dot, but not in two.
std::string_view without_final_dot(std::string_view name) {
    const std::size_t size = name.size();
    if (size > 1 && name[size - 1] == '.' && name[size - 2] != '.') name.remove_suffix(1);
    return name;
}

constexpr char verified = '2', never = '5';

}  // namespace

verdict evaluation::permit(const call& c) {
    return permitted("permit", c.about.about, c.about.name);
}

verdict evaluation::reject(const call& c) {
    return refuse_about(settings_.reject_code, "5.7.1", c.about.name, c.about.about, "Access denied");
}

verdict evaluation::defer(const call& c) {
    return refuse_about(settings_.defer_code, "4.3.2", c.about.name, c.about.about, "Try again later");
}

verdict evaluation::defer_if_permit(const call& c) {
    return maybe(tempfail::defer_if_permit, 450, "4.7.0",
                 fmt::format("<{}>: {} rejected: defer_if_permit requested", c.about.name, name_of(c.about.about)));
}

verdict evaluation::defer_if_reject(const call& c) {
    defer_later_if_reject(
        450, "4.7.0",
        fmt::format("<{}>: {} rejected: defer_if_reject requested", c.about.name, name_of(c.about.about)));
    return verdict::dunno;
}

verdict evaluation::reject_unauth_pipelining(const call& c) {
    if (!facts_.pipelined_improperly) return verdict::dunno;
    return refuse(refusal_cause::policy, 503, "5.5.0",
                  fmt::format("<{}>: {} rejected: Improper use of SMTP command pipelining", c.about.name,
                              name_of(c.about.about)));
}

verdict evaluation::reject_plaintext_session(const call&) {
    if (facts_.tls) return verdict::dunno;
    return refuse(refusal_cause::policy, settings_.plaintext_code, "4.7.1", "Session encryption is required");
}

verdict evaluation::reject_unknown_client_hostname(const call&) {
    const char status = facts_.client->name_status;
    if (status == verified) return verdict::dunno;
    return refuse(refusal_cause::policy, status >= never ? settings_.unknown_client_code : 450, "4.7.25",
                  fmt::format("Client host rejected: cannot find your hostname, [{}]", facts_.client->address));
}

verdict evaluation::reject_unknown_reverse_client_hostname(const call&) {
    const char status = facts_.client->reverse_name_status;
    if (status == verified) return verdict::dunno;
    return refuse(refusal_cause::policy, status >= never ? settings_.unknown_client_code : 450, "4.7.1",
                  fmt::format("Client host rejected: cannot find your reverse hostname, [{}]", facts_.client->address));
}

verdict evaluation::permit_inet_interfaces(const call& c) {
    if (!mail_.rewrite().is_own_address(facts_.connected_from)) return verdict::dunno;
    return permitted(c.what.name, reply_class::client, facts_.client->name_and_address());
}

verdict evaluation::permit_mynetworks(const call& c) {
    const table::list_match match = settings_.mynetworks.match(facts_.client->name, facts_.client->address);
    warn_all(match.warnings);
    if (match.failed()) return lookup_error(c.about.name);
    if (!match.matched()) return verdict::dunno;
    said_.key = match.pattern;
    said_.table = "mynetworks";
    said_.where = match.where;
    return permitted(c.what.name, reply_class::client, facts_.client->name_and_address());
}

verdict evaluation::permit_sasl_authenticated(const call& c) {
    if (!facts_.sasl_active || facts_.sasl_username.empty()) return verdict::dunno;
    return permitted(c.what.name, c.about.about, c.about.name);
}

verdict evaluation::permit_tls_all_clientcerts(const call& c) {
    if (!facts_.tls || !facts_.certificate.trusted) return permit_tls_clientcerts(c);
    return permitted(c.what.name, c.about.about, c.about.name);
}

verdict evaluation::permit_tls_clientcerts(const call& c) {
    if (!facts_.tls || !facts_.certificate.present) return verdict::dunno;
    for (const std::string* print : {&facts_.certificate.fingerprint, &facts_.certificate.public_key_fingerprint}) {
        const table::match found = settings_.relay_certificates.find(*print);
        warn_all(found.result.warnings);
        if (found.failed()) {
            warn(fmt::format("relay_clientcerts: lookup error for fingerprint '{}', pkey fingerprint {}",
                             facts_.certificate.fingerprint, facts_.certificate.public_key_fingerprint));
            return verdict::dunno;
        }
        if (found.found()) return permitted(c.what.name, c.about.about, c.about.name);
    }
    return verdict::dunno;
}

verdict evaluation::permit_naked_ip_address(const call& c) {
    warn(
        "restriction permit_naked_ip_address is deprecated. Use permit_mynetworks or permit_sasl_authenticated "
        "instead");
    const std::string& name = facts_.helo;
    if (name.empty() || name.find_first_not_of("0123456789.:") != std::string::npos) return verdict::dunno;
    if (!address::valid_hostaddr(name)) {
        const verdict got =
            refuse_about(settings_.invalid_hostname_code, "5.5.2", name, reply_class::helo, "invalid ip address");
        if (got != verdict::dunno) return got;
    }
    // Also what is only warned of (warn_if_reject).
    return permitted(c.what.name, reply_class::helo, name);
}

verdict evaluation::reject_invalid_literal(std::string_view name, const subject& about) {
    std::string_view inner = name;
    if (name.size() > 2 && name.front() == '[' && name.back() == ']') inner = name.substr(1, name.size() - 2);
    if (!address::mailhost_address_fault(inner)) return verdict::dunno;
    return refuse_about(settings_.invalid_hostname_code, "5.5.2", about.name, about.about, "invalid ip address");
}

verdict evaluation::reject_invalid_helo_hostname(const call&) {
    if (facts_.helo.empty()) return verdict::dunno;
    const subject about = subject_of(party::helo);
    if (facts_.helo.front() == '[') return reject_invalid_literal(facts_.helo, about);
    const std::string_view name = without_final_dot(facts_.helo);
    if (address::valid_hostname(name) || address::valid_hostaddr(name)) return verdict::dunno;
    return refuse_about(settings_.invalid_hostname_code, "5.5.2", facts_.helo, reply_class::helo, "Invalid name");
}

verdict evaluation::reject_non_fqdn_helo_hostname(const call&) {
    if (facts_.helo.empty()) return verdict::dunno;
    const subject about = subject_of(party::helo);
    if (facts_.helo.front() == '[') return reject_invalid_literal(facts_.helo, about);
    const std::string_view name = without_final_dot(facts_.helo);
    const bool full = address::valid_utf8_hostname(facts_.smtputf8, name) && name.find('.') != std::string_view::npos;
    if (full) return verdict::dunno;
    return refuse_about(settings_.non_fqdn_code, "5.5.2", facts_.helo, reply_class::helo,
                        "need fully-qualified hostname");
}

verdict evaluation::reject_non_fqdn_address(const call& c) {
    const std::string* address = address_of(c.what.whose);
    if (!address) return verdict::dunno;
    const auto at = address->rfind('@');
    const std::string_view domain =
        at == std::string::npos ? std::string_view() : std::string_view(*address).substr(at + 1);
    if (!domain.empty() && domain.front() == '[' && domain.back() == ']') return verdict::dunno;
    const std::string_view name = without_final_dot(domain);
    const bool full = !name.empty() && address::valid_utf8_hostname(settings_.smtputf8, name) &&
                      name.find('.') != std::string_view::npos;
    if (full) return verdict::dunno;
    const subject about = subject_of(c.what.whose);
    return refuse_about(settings_.non_fqdn_code, "4.5.2", about.name, about.about, "need fully-qualified address");
}

// A bounce goes to one. At RCPT there is none yet.
verdict evaluation::reject_multi_recipient_bounce(const call& c) {
    const std::size_t allowed = stage_name_ == "RCPT" ? 0 : 1;
    if (!sender_ || !sender_->empty() || facts_.recipient_count <= allowed) return verdict::dunno;
    return refuse_about(settings_.multi_recipient_code, "5.5.3", c.about.name, c.about.about, "Multi-recipient bounce");
}

task<verdict> evaluation::sleep_restriction(const call& c) {
    const auto seconds = text::to_number(c.argument);
    const duration pause = std::chrono::seconds(std::min<std::int64_t>(seconds.value_or(0), 3600));
    co_await sleep_for(mail_.clock(), pause);
    co_return verdict::dunno;
}

// -- parties ----------------------------------------------------------------------------------------------------------

const std::string* evaluation::address_of(party whose) const {
    const std::optional<std::string>& address = whose == party::sender ? sender_ : recipient_;
    return address && !address->empty() ? &*address : nullptr;
}

const std::string* evaluation::value_of(party whose) const {
    const auto known = [](const std::string& name) {
        return text::equal_ignoring_case(name, "unknown") ? nullptr : &name;
    };
    switch (whose) {
        case party::client:
            return known(facts_.client->name);
        case party::unverified_client:
            return known(facts_.client->reverse_name);
        case party::helo:
            return facts_.helo.empty() ? nullptr : &facts_.helo;
        case party::sender:
        case party::recipient:
            return address_of(whose);
        case party::none:
            break;
    }
    return nullptr;
}

subject evaluation::subject_of(party whose) const {
    switch (whose) {
        case party::unverified_client:
            return {facts_.client->reverse_name, reply_class::unverified_client, {}};
        case party::helo:
            return {facts_.helo, reply_class::helo, {}};
        case party::sender:
            return {sender_.value_or(""), reply_class::sender, {}};
        case party::recipient:
            return {recipient_.value_or(""), reply_class::recipient, {}};
        case party::client:
        case party::none:
            break;
    }
    return client_subject();
}

}  // namespace mta::smtpd
