// mta/table/lookup_order.hpp - which keys an address, a domain or a client is looked up by, and in which order
// (mail_addr_find.c; access(5), canonical(5), transport(5), virtual(5), generic(5), relocated(5)).
//
// Every function returns the first key that hit. Addresses are in internal form (unquoted); each is looked up quoted
// first, then, when that differs, unquoted. Never throws.
#pragma once
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "mta/table/maps.hpp"

namespace mta::table {

// Whether bare `user` keys hold for this domain: it is $myorigin, or in $mydestination, or an address of ours
// ([literal] in $inet_interfaces or $proxy_interfaces).
using local_domain = std::function<bool(std::string_view domain)>;

// How parents of a domain are looked up: `sub.example` -> `example` when the parameter is named in
// parent_domain_matches_subdomains, `.example` otherwise.
enum class parent_style { bare_parent, dot_parent };

// recipient_delimiter, a set of characters, and what owner_request_special says of owner-list and list-request.
struct extension_delimiters {
    std::string characters;  // empty: no extensions
    bool list_names_are_special = true;

    extension_delimiters() = default;
    extension_delimiters(std::string set, bool special = true)
        : characters(std::move(set)), list_names_are_special(special) {}
    extension_delimiters(std::string_view set) : characters(set) {}
    extension_delimiters(const char* set) : characters(set) {}
};

// The localpart's extension, delimiter included ("+ext" of "user+ext@example"), or "" when there is none. Reserved
// addresses (mailer-daemon, double-bounce) and owner-/-request lists with a '-' delimiter have none.
std::string_view extension_of(std::string_view address, const extension_delimiters& delimiters);
// The address without its extension, or nothing when it has none.
std::optional<std::string> without_extension(std::string_view address, const extension_delimiters& delimiters);
std::string with_extension(std::string_view address, std::string_view extension);  // before the last '@'

// The keys of mail_addr_find(3), as bits; tried in the order listed here.
enum find_by : unsigned {
    find_full = 1u << 0,                   // user+ext@domain
    find_without_extension = 1u << 1,      // user@domain
    find_localpart_if_local = 1u << 2,     // user+ext, user
    find_localpart_at_if_local = 1u << 3,  // user+ext@, user@
    find_at_domain = 1u << 4,              // @domain
    find_domain = 1u << 5,                 // domain
    find_bare_parents = 1u << 6,           // parent domains after it
    find_dot_parents = 1u << 7,            // .parent domains after it
    find_localpart_at = 1u << 8,           // user+ext@, user@
    // canonical(5), virtual(5), generic(5), relocated(5), sender_dependent_*_maps
    find_default = find_full | find_without_extension | find_localpart_if_local | find_at_domain,
};

struct address_rules {
    extension_delimiters recipient_delimiter;
    local_domain is_local;  // empty: no domain is
};

match find_address(const maps& maps, std::string_view address, const address_rules& rules,
                   unsigned strategy = find_default);

// What a hit of canonical(5), virtual(5) or generic(5) maps the address to: "@otherdomain" gets the user of
// `address` in front. The second is the extension still to be added to each result address: `match.extension` when
// `propagate` (the table's kind is in propagate_unmatched_extensions), else "".
std::pair<std::string, std::string> mapped_text(const match& match, std::string_view address, bool propagate);

// transport(5): user+ext@domain, user@domain, domain, parents, then `*` (fixed tables only).
match find_transport(const maps& maps, std::string_view address, const extension_delimiters& recipient_delimiter,
                     parent_style style = parent_style::dot_parent);

// access(5) for an address: user+ext@domain, user@domain, domain, parents, user+ext@, user@. The empty address is
// looked up as `null_key` (smtpd_null_access_lookup_key), and not at all when that is empty.
match find_access_address(const maps& maps, std::string_view address, const extension_delimiters& recipient_delimiter,
                          parent_style style = parent_style::bare_parent, std::string_view null_key = "<>");
// A host or domain name and its parents. Numerical names have no parents.
match find_access_domain(const maps& maps, std::string_view domain, parent_style style = parent_style::bare_parent,
                         reach first = reach::every_table);
// An IPv4 or IPv6 address and the networks it is in, cut at octet or group boundaries.
match find_access_network(const maps& maps, std::string_view address, reach first = reach::every_table);
// A client: its name and parents, then its address and networks.
match find_access_client(const maps& maps, std::string_view name, std::string_view address,
                         parent_style style = parent_style::bare_parent);

}  // namespace mta::table
