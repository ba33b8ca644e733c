// mta/postscreen/settings.hpp - the parameters of a postscreen service, read at its start (postscreen(8)).
//
// What the service would not start with is config::fatal. postscreen_upstream_proxy_protocol is not simulated.
#pragma once
#include <array>
#include <optional>
#include <string>
#include <vector>

#include "mta/postscreen/cache.hpp"
#include "mta/smtpd/dnsbl_filter.hpp"
#include "mta/smtpd/settings.hpp"
#include "mta/table/maps.hpp"
#include "mta/table/match_list.hpp"

namespace mta::postscreen {

enum class action : std::uint8_t { ignore, enforce, drop };

// "bl.example=127.0.0.[2..4]*2"
struct dnsbl_site {
    std::string domain, shown;  // shown: to clients (postscreen_dnsbl_reply_map)
    std::optional<smtpd::dnsbl_filter> filter;
    int weight = 1;
};
// Throws config::fatal with Postfix's words.
dnsbl_site parse_site(std::string_view text);

// A word of postscreen_access_list: a command, or a table of such.
struct access_rule {
    std::string word;
    bool is_table = false;
    table::table_ptr lookup;
};

// What is shorter in times of many connections.
struct under_load {
    duration normal, stress;
};

struct settings {
    std::string myhostname, banner, teaser, cache_map, footer, expansion_filter;
    table::maps footer_maps;
    std::vector<access_rule> access;
    table::name_address_list mynetworks, allowlist_interfaces;
    std::vector<dnsbl_site> sites;
    int dnsbl_threshold, dnsbl_allow_threshold;
    under_load greet_wait, command_time_limit;
    duration dnsbl_timeout, min_ttl, max_dnsbl_ttl, min_dnsbl_ttl, retention, cleanup_interval;
    action greet_action, dnsbl_action, denylist_action;
    std::array<bool, test_count> enabled{};
    std::array<action, test_count> actions{};
    std::array<duration, test_count> lifetimes{};
    int client_connection_limit, pre_queue_limit, command_count_limit;
    std::size_t line_limit;
    bool respectful_logging, chose_logging, helo_required, disable_vrfy, hides_vrfy, soft_bounce, smtputf8,
        tls_available, tls_required;
    std::int64_t message_size_limit;
    table::string_list forbidden_commands;
    table::table_ptr command_filter;
    table::maps discarded_by_address;
    smtpd::keyword_set discarded_keywords = 0;
    std::shared_ptr<const tls::context> tls_context;
    int tlsproxy_log_level = 0;
    std::vector<table::diagnostic> warnings;     // said at the start
    std::vector<std::string> tlsproxy_warnings;  // and at the first STARTTLS

    settings(master::mail_system& mail, master::daemon& service);

  private:
    void read_tables(master::mail_system& mail, const config::parameters& parameters);
    void read_sites(master::mail_system& mail, const config::parameters& parameters);
    void read_tests(const config::parameters& parameters);
    void read_limits(const config::parameters& parameters);
    void read_tls(master::mail_system& mail, const config::parameters& parameters);
};

}  // namespace mta::postscreen
