// mta/address/resolve.hpp - an address to (transport, next hop, recipient): the resolver of trivial-rewrite(8).
//
// Everything it knows comes from a `resolve_context`: texts of parameters and lookups. A lookup that fails sets
// `flags.failed`, and the caller tries again later, as the queue manager does. No exceptions but the lookups' own.
#pragma once
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mta/address/rewrite.hpp"

namespace mta::address {

enum class lookup_status : std::uint8_t { absent, found, failed };
struct lookup_result {
    lookup_status status = lookup_status::absent;
    std::string value;
};
// A domain in a list (string_list_match, domain_list_match), or an address in a map (mail_addr_find). An empty function
// is a parameter left empty.
using domain_list = std::function<lookup_status(std::string_view domain)>;
using address_map = std::function<lookup_result(std::string_view address)>;

struct resolve_context {
    // Parameters, by their own names, expanded.
    std::string myhostname;
    std::string local_transport;    // "local:$myhostname"
    std::string virtual_transport;  // "virtual"
    std::string relay_transport;    // "relay"
    std::string default_transport;  // "smtp"
    std::string relayhost;
    std::string empty_address_recipient = "MAILER-DAEMON";
    std::string empty_address_relayhost_maps_lookup_key = "<>";
    std::string empty_address_default_transport_maps_lookup_key = "<>";
    std::string config_directory = "/etc/postfix";  // for the warnings
    std::string sender_dependent_relayhost_maps_name = "sender_dependent_relayhost_maps";
    bool resolve_dequoted_address = true;
    bool resolve_null_domain = false;
    bool resolve_numeric_domain = false;
    bool allow_min_user = false;
    bool show_user_unknown_table_name = true;
    bool helpful_warnings = true;
    bool smtputf8_enable = true;
    rewrite_context local;  // myorigin, mydomain
    rewrite_rules rules;

    // mydestination, with $inet_interfaces and $proxy_interfaces for address literals (resolve_local(3)).
    // Called without a trailing dot.
    domain_list local_domains;
    domain_list virtual_alias_domains;
    domain_list virtual_mailbox_domains;
    domain_list relay_domains;
    // In the search order of transport(5): user+ext@domain, user@domain, domain, .parent. "*" is apart.
    address_map transport_maps;
    std::function<lookup_result()> transport_wildcard;
    // In the search order of mail_addr_find(3); the null sender is looked up under its key.
    address_map sender_dependent_relayhost_maps;
    address_map sender_dependent_default_transport_maps;
    address_map relocated_maps;
};

enum class domain_class : std::uint8_t { none, local, virtual_alias, virtual_mailbox, relay, other };

// What decided transport or next hop last.
enum class route_source : std::uint8_t {
    none,
    local_transport,
    virtual_alias_domains,
    virtual_transport,
    relay_transport,
    default_transport,
    sender_dependent_default_transport_maps,
    relayhost,
    sender_dependent_relayhost_maps,
    transport_maps,
    transport_wildcard,
    relocated_maps,
};

struct resolved {
    std::string transport;
    std::string next_hop;
    std::string recipient;  // internal form, always user@domain unless `failed`
    domain_class domain = domain_class::none;
    struct {
        bool routed = false;  // routing operators (@ % !) are left in the local part
        bool error = false;   // bad address syntax
        bool failed = false;  // a lookup failed; try again later
    } flags;
    route_source transport_source = route_source::none;
    route_source next_hop_source = route_source::none;
    std::vector<std::string> warnings;  // log texts, without "warning: "
};

// `sender` and `address` in internal form.
resolved resolve_address(std::string_view sender, std::string_view address, const resolve_context& context);

// What the queue manager makes of an answer: the error and retry transports for bad syntax and failed lookups.
resolved as_queue_manager_sees(resolved answer);

// "transport:nexthop" cut at its first colon; without a colon the whole is the transport.
struct transport_and_next_hop {
    std::string transport;
    std::string next_hop;
};
transport_and_next_hop split_transport(std::string_view text);

std::string_view name_of(domain_class value);
std::string_view name_of(route_source value);

}  // namespace mta::address
