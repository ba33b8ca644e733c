// The table of all restrictions (postconf(5)): their names, old ones among them, what they take, and who evaluates
// them.
#include <algorithm>
#include <array>

#include "mta/smtpd/access_evaluation.hpp"
#include "mta/text/strings.hpp"

namespace mta::smtpd {
namespace {

using e = evaluation;
using kind = argument_kind;
using type = dns::record_type;

constexpr restriction plain(std::string_view name, verdict (e::*does)(const call&), party whose = party::none) {
    return {name, kind::none, does, nullptr, whose, type::a};
}
constexpr restriction asking(std::string_view name, kind takes, task<verdict> (e::*does)(const call&),
                             party whose = party::none, type record = type::a) {
    return {name, takes, nullptr, does, whose, record};
}

constexpr auto client = party::client;
constexpr auto unverified = party::unverified_client;
constexpr auto helo = party::helo;
constexpr auto sender = party::sender;
constexpr auto recipient = party::recipient;

// Sorted by name.
constexpr auto table = std::to_array<restriction>({
    asking("check_ccert_access", kind::table, &e::check_ccert_access),
    asking("check_client_a_access", kind::table, &e::check_server_access, client, type::a),
    asking("check_client_access", kind::table, &e::check_client_access, client),
    asking("check_client_mx_access", kind::table, &e::check_server_access, client, type::mx),
    asking("check_client_ns_access", kind::table, &e::check_server_access, client, type::ns),
    asking("check_etrn_access", kind::table, &e::check_etrn_access),
    asking("check_helo_a_access", kind::table, &e::check_server_access, helo, type::a),
    asking("check_helo_access", kind::table, &e::check_helo_access),
    asking("check_helo_mx_access", kind::table, &e::check_server_access, helo, type::mx),
    asking("check_helo_ns_access", kind::table, &e::check_server_access, helo, type::ns),
    asking("check_policy_service", kind::service, &e::check_policy_service),
    asking("check_recipient_a_access", kind::table, &e::check_server_access, recipient, type::a),
    asking("check_recipient_access", kind::table, &e::check_address_access, recipient),
    asking("check_recipient_mx_access", kind::table, &e::check_server_access, recipient, type::mx),
    asking("check_recipient_ns_access", kind::table, &e::check_server_access, recipient, type::ns),
    plain("check_relay_domains", &e::check_relay_domains),
    asking("check_reverse_client_hostname_a_access", kind::table, &e::check_server_access, unverified, type::a),
    asking("check_reverse_client_hostname_access", kind::table, &e::check_client_access, unverified),
    asking("check_reverse_client_hostname_mx_access", kind::table, &e::check_server_access, unverified, type::mx),
    asking("check_reverse_client_hostname_ns_access", kind::table, &e::check_server_access, unverified, type::ns),
    asking("check_sasl_access", kind::table, &e::check_sasl_access),
    asking("check_sender_a_access", kind::table, &e::check_server_access, sender, type::a),
    asking("check_sender_access", kind::table, &e::check_address_access, sender),
    asking("check_sender_mx_access", kind::table, &e::check_server_access, sender, type::mx),
    asking("check_sender_ns_access", kind::table, &e::check_server_access, sender, type::ns),
    plain("defer", &e::defer),
    plain("defer_if_permit", &e::defer_if_permit),
    plain("defer_if_reject", &e::defer_if_reject),
    plain("defer_unauth_destination", &e::defer_unauth_destination),
    plain("permit", &e::permit),
    plain("permit_auth_destination", &e::permit_auth_destination),
    asking("permit_dnswl_client", kind::domain, &e::permit_dnswl_client),
    plain("permit_inet_interfaces", &e::permit_inet_interfaces),
    asking("permit_mx_backup", kind::none, &e::permit_mx_backup),
    plain("permit_mynetworks", &e::permit_mynetworks),
    plain("permit_naked_ip_address", &e::permit_naked_ip_address),
    asking("permit_rhswl_client", kind::domain, &e::permit_rhswl_client),
    plain("permit_sasl_authenticated", &e::permit_sasl_authenticated),
    plain("permit_tls_all_clientcerts", &e::permit_tls_all_clientcerts),
    plain("permit_tls_clientcerts", &e::permit_tls_clientcerts),
    plain("reject", &e::reject),
    plain("reject_authenticated_sender_login_mismatch", &e::reject_authenticated_sender_login_mismatch),
    plain("reject_invalid_helo_hostname", &e::reject_invalid_helo_hostname),
    plain("reject_invalid_hostname", &e::reject_invalid_helo_hostname),
    plain("reject_known_sender_login_mismatch", &e::reject_known_sender_login_mismatch),
    asking("reject_maps_rbl", kind::none, &e::reject_maps_rbl),
    plain("reject_multi_recipient_bounce", &e::reject_multi_recipient_bounce),
    plain("reject_non_fqdn_helo_hostname", &e::reject_non_fqdn_helo_hostname),
    plain("reject_non_fqdn_hostname", &e::reject_non_fqdn_helo_hostname),
    plain("reject_non_fqdn_recipient", &e::reject_non_fqdn_address, recipient),
    plain("reject_non_fqdn_sender", &e::reject_non_fqdn_address, sender),
    plain("reject_plaintext_session", &e::reject_plaintext_session),
    asking("reject_rbl", kind::domain, &e::reject_rbl_client),
    asking("reject_rbl_client", kind::domain, &e::reject_rbl_client),
    asking("reject_rhsbl_client", kind::domain, &e::reject_rhsbl, client),
    asking("reject_rhsbl_helo", kind::domain, &e::reject_rhsbl, helo),
    asking("reject_rhsbl_recipient", kind::domain, &e::reject_rhsbl, recipient),
    asking("reject_rhsbl_reverse_client", kind::domain, &e::reject_rhsbl, unverified),
    asking("reject_rhsbl_sender", kind::domain, &e::reject_rhsbl, sender),
    plain("reject_unauth_destination", &e::reject_unauth_destination),
    plain("reject_unauth_pipelining", &e::reject_unauth_pipelining),
    plain("reject_unauthenticated_sender_login_mismatch", &e::reject_unauthenticated_sender_login_mismatch),
    asking("reject_unknown_address", kind::none, &e::reject_unknown_address, sender),
    plain("reject_unknown_client", &e::reject_unknown_client_hostname),
    plain("reject_unknown_client_hostname", &e::reject_unknown_client_hostname),
    asking("reject_unknown_helo_hostname", kind::none, &e::reject_unknown_helo_hostname),
    asking("reject_unknown_hostname", kind::none, &e::reject_unknown_helo_hostname),
    asking("reject_unknown_recipient_domain", kind::none, &e::reject_unknown_address, recipient),
    plain("reject_unknown_reverse_client_hostname", &e::reject_unknown_reverse_client_hostname),
    asking("reject_unknown_sender_domain", kind::none, &e::reject_unknown_address, sender),
    plain("reject_unlisted_recipient", &e::reject_unlisted_recipient),
    plain("reject_unlisted_sender", &e::reject_unlisted_sender),
    asking("reject_unverified_recipient", kind::none, &e::reject_unverified_address, recipient),
    asking("reject_unverified_sender", kind::none, &e::reject_unverified_address, sender),
    asking("sleep", kind::number, &e::sleep_restriction),
});
static_assert(std::is_sorted(table.begin(), table.end(),
                             [](const restriction& a, const restriction& b) { return a.name < b.name; }));

}  // namespace

const restriction* find_restriction(std::string_view name) {
    const std::string lower = text::lowered(name);
    const auto row = std::lower_bound(table.begin(), table.end(), lower,
                                      [](const restriction& a, std::string_view b) { return a.name < b; });
    return row != table.end() && row->name == lower ? &*row : nullptr;
}

}  // namespace mta::smtpd
