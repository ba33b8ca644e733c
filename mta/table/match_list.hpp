// mta/table/match_list.hpp - pattern lists: mydestination, relay_domains, mynetworks, debug_peer_list (match_list.c,
// match_ops.c, domain_list(3), addr_match_list(3), namadr_list(3), string_list(3)).
//
// Patterns are tried left to right and the first that matches decides; `!pattern` decides "no". A pattern is a string,
// `/file` with further patterns, or type:table (the value is ignored). A file that cannot be read or a table that fails
// makes the search an error at that pattern, as MATCH_FLAG_RETURN does. Files nest to a fixed depth.
#pragma once
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "mta/table/cidr_match.hpp"
#include "mta/table/lookup_order.hpp"
#include "mta/table/open.hpp"
#include "mta/table/table.hpp"

namespace mta::table {

class registry;

struct list_match {
    outcome status = outcome::not_found;  // not_found: outside the list, by `!pattern` or by no pattern at all
    std::string pattern;                  // the pattern that decided or failed, `!` included; empty when none did
    position where;                       // its file and line, or the table entry's; the parameter's name otherwise
    std::vector<std::string> warnings;    // what Postfix logs as "warning: ..."

    bool matched() const { return status == outcome::found; }
    bool failed() const { return status == outcome::error; }
};

// The list behind the four kinds below.
class match_list {
  public:
    struct pattern {
        std::string text;  // folded, without `!`
        bool negated = false;
        position where;
        table_ptr table;  // type:table, or a file that could not be read
        // Where the text has the characters of network/mask: that, or Postfix's complaint about it.
        std::optional<std::variant<cidr_pattern, std::string>> network;
    };

    match_list() = default;
    // `title` is the parameter's name. `environment` and `registry` are used during construction only.
    match_list(std::string_view title, std::string_view patterns, registry& registry, const environment& environment,
               std::vector<diagnostic>& diagnostics, parent_style style);

    const std::string& title() const { return title_; }
    const std::vector<pattern>& patterns() const { return patterns_; }
    parent_style style() const { return style_; }

  private:
    std::string title_;
    std::vector<pattern> patterns_;
    parent_style style_ = parent_style::dot_parent;
};

// mydestination, relay_domains, virtual_alias_domains: host and domain names.
class domain_list : public match_list {
  public:
    using match_list::match_list;
    list_match match(std::string_view name) const;
};

// proxy_interfaces and the like: addresses and network/mask.
class address_list : public match_list {
  public:
    using match_list::match_list;
    list_match match(std::string_view address) const;
};

// mynetworks, debug_peer_list, smtpd_client_event_limit_exceptions: a name and an address, either of which may match.
class name_address_list : public match_list {
  public:
    using match_list::match_list;
    list_match match(std::string_view name, std::string_view address) const;
};

// authorized_submit_users, smtp_sasl_mechanism_filter: exact strings and tables, `user@domain` among them.
class string_list : public match_list {
  public:
    using match_list::match_list;
    list_match match(std::string_view text) const;
};

// match_parent_style(3): whether `parameter` is named in parent_domain_matches_subdomains.
parent_style parent_style_of(std::string_view parameter, std::string_view parent_domain_matches_subdomains);

}  // namespace mta::table
