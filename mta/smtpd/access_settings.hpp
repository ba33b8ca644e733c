// mta/smtpd/access_settings.hpp - what a service's restrictions are made of, read once: the lists, their classes and
// tables, the parameters they obey (postconf(5)).
//
// What smtpd says about its tables when one of its processes starts is kept in `greetings`; what it would not start
// with is in `fatal`. Never throws.
#pragma once
#include <array>
#include <chrono>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "mta/smtpd/access.hpp"
#include "mta/smtpd/dnsbl_filter.hpp"
#include "mta/table/lookup_order.hpp"
#include "mta/table/maps.hpp"
#include "mta/table/match_list.hpp"

namespace mta::config {
class parameters;
}

namespace mta::smtpd {

enum class list_name : std::uint8_t { client, helo, sender, relay, recipient, etrn, data, end_of_data };
inline constexpr std::size_t list_count = 8;
std::string_view parameter_of(list_name which);  // "smtpd_client_restrictions"

// *_tempfail_action
enum class tempfail : std::uint8_t { defer_if_permit, defer };

// What one policy service is reached by (check_policy_service, SMTPD_POLICY_README).
struct policy_service {
    std::string name, endpoint, default_action, context;
    duration timeout{}, retry_delay{};
    std::int64_t try_limit = 2;
};

// What a process has learned of a DNS list (or another domain) and keeps until it ends.
struct dnsbl_answer {
    std::vector<std::string> addresses;
    std::string text;  // of its TXT records
    bool listed = false, failed = false;
};
struct process_cache {
    std::map<std::string, dnsbl_answer, std::less<>> dnsbl;
    std::set<std::pair<std::string, std::string>> resolved;  // sender and recipient that trivial-rewrite was asked
    std::set<std::string, std::less<>> said_once;            // warnings that a process gives one time
    bool sender_is_checked = false;  // what its last session left behind, as Postfix does not clear it between two
};

struct access_settings {
    access_settings(master::mail_system& mail, const config::parameters& parameters);

    std::array<std::vector<std::string>, list_count> lists;
    std::map<std::string, std::vector<std::string>, std::less<>> classes;
    std::map<std::string, table::maps, std::less<>> access_tables;  // by the word that names it: "type:name"
    // check_ccert_access { type:name, { search_order = ... } }, by that word.
    struct certificate_search {
        std::string table;
        std::vector<bool> by_public_key;  // or by the certificate's own fingerprint
    };
    std::map<std::string, certificate_search, std::less<>> certificate_searches;
    std::map<std::string, policy_service, std::less<>> policies;  // by the word in the list
    const std::vector<std::string>& list(list_name which) const { return lists[static_cast<std::size_t>(which)]; }

    bool delay_reject, relay_before_recipient, reject_unlisted_sender, reject_unlisted_recipient, checks_unlisted;
    bool allow_untrusted_routing, show_table_name, soft_bounce, smtputf8, sasl_enabled, external_log_addresses,
        uses_proxy;
    int access_map_reject_code, access_map_defer_code, reject_code, defer_code, relay_code, maps_rbl_code,
        invalid_hostname_code, non_fqdn_code, unknown_hostname_code, unknown_client_code, unknown_address_code,
        multi_recipient_code, plaintext_code;
    int local_code, alias_code, mailbox_code, relay_recipient_code;
    tempfail unknown_address, unknown_helo;
    // unverified_sender_*, unverified_recipient_*
    struct unverified_reply {
        int reject_code, defer_code;
        std::string reason;
        tempfail how;
    };
    unverified_reply unverified_sender, unverified_recipient;
    std::int64_t verify_poll_count;
    duration verify_poll_delay;
    bool ipv4, ipv6, owner_request_special;
    std::string recipient_delimiter, myorigin, null_key, myhostname, mail_name, default_rbl_reply, expansion_filter,
        reject_footer, double_bounce_sender, double_bounce_address, maps_rbl_domains, proxy_filter;
    table::extension_delimiters delimiters() const { return {recipient_delimiter, owner_request_special}; }
    table::parent_style access_style;
    table::name_address_list mynetworks;
    table::domain_list relay_domains, mydestination;
    table::address_list mx_networks;
    bool has_mx_networks;
    table::string_list logged_permissions;
    table::maps local_recipients, recipient_canonical, canonical, sender_canonical, virtual_aliases, virtual_mailboxes,
        relay_recipients, relay_certificates, rbl_replies, sender_logins, reject_footers, dns_filter;
    bool checks_local, checks_mailboxes, checks_relay;

    std::vector<table::diagnostic> greetings;
    std::string fatal;
    std::map<int, process_cache> processes;  // by process id, bounded
    process_cache& process(int pid);

  private:
    void read_parameters(const config::parameters& p);
    void open_tables(master::mail_system& mail, const config::parameters& p);
    void read_lists(master::mail_system& mail, const config::parameters& p);
    std::vector<std::string> parse(master::mail_system& mail, const config::parameters& p, std::string_view text);
    std::string add_certificate_search(const std::string& word);
    void add_policy(const config::parameters& p, const std::string& word);
    tempfail tempfail_of(const config::parameters& p, std::string_view name);
    bool guards_relay(const std::vector<std::string>& list, int depth) const;
    void check_relay_guard();
};

}  // namespace mta::smtpd
