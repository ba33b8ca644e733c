// What the lab does with each parameter. This is the one place to say so: a parameter that no row below matches is
// simulated. A row is a name, or a beginning followed by `*`; an exact name wins over a beginning, and of beginnings
// the longest.
#include <algorithm>

#include "mta/config/parameter_table.hpp"

namespace mta::config {
namespace {

using enum support;

struct support_row {
    std::string_view pattern;
    support what;
};

constexpr support_row rows[] = {
    // Files, programs and directories of an installation.
    {"alternate_config_directories", without_meaning_in_a_lab},
    {"command_directory", without_meaning_in_a_lab},
    {"config_directory", without_meaning_in_a_lab},
    {"cyrus_sasl_config_path", without_meaning_in_a_lab},
    {"daemon_directory", without_meaning_in_a_lab},
    {"data_directory", without_meaning_in_a_lab},
    {"html_directory", without_meaning_in_a_lab},
    {"mailq_path", without_meaning_in_a_lab},
    {"manpage_directory", without_meaning_in_a_lab},
    {"meta_directory", without_meaning_in_a_lab},
    {"newaliases_path", without_meaning_in_a_lab},
    {"openssl_path", without_meaning_in_a_lab},
    {"queue_directory", without_meaning_in_a_lab},
    {"readme_directory", without_meaning_in_a_lab},
    {"sample_directory", without_meaning_in_a_lab},
    {"sendmail_path", without_meaning_in_a_lab},
    {"shlib_directory", without_meaning_in_a_lab},

    // Users, processes and the talk between them: the lab has neither.
    {"application_event_drain_time", without_meaning_in_a_lab},
    {"daemon_timeout", without_meaning_in_a_lab},
    {"debugger_command", without_meaning_in_a_lab},
    {"debug_peer_*", without_meaning_in_a_lab},
    {"default_privs", without_meaning_in_a_lab},
    {"export_environment", without_meaning_in_a_lab},
    {"fault_injection_code", without_meaning_in_a_lab},
    {"fork_*", without_meaning_in_a_lab},
    {"import_environment", without_meaning_in_a_lab},
    {"ipc_*", without_meaning_in_a_lab},
    {"known_tcp_ports", without_meaning_in_a_lab},
    {"local_command_shell", without_meaning_in_a_lab},
    {"mail_owner", without_meaning_in_a_lab},
    {"master_service_disable", not_simulated},
    {"max_idle", without_meaning_in_a_lab},
    {"max_use", without_meaning_in_a_lab},
    {"multi_instance_*", without_meaning_in_a_lab},
    {"multi_instance_name", simulated},
    {"postlogd_watchdog_timeout", without_meaning_in_a_lab},
    {"postmulti_*", without_meaning_in_a_lab},
    {"process_id*", without_meaning_in_a_lab},
    {"proxy_read_maps", without_meaning_in_a_lab},
    {"proxy_write_maps", without_meaning_in_a_lab},
    {"qmgr_daemon_timeout", without_meaning_in_a_lab},
    {"qmgr_ipc_timeout", without_meaning_in_a_lab},
    {"service_throttle_time", without_meaning_in_a_lab},
    {"setgid_group", without_meaning_in_a_lab},
    {"tlsproxy_*", without_meaning_in_a_lab},
    {"trigger_timeout", without_meaning_in_a_lab},

    // Names of the services that talk to each other.
    {"bounce_service_name", without_meaning_in_a_lab},
    {"connection_cache_*", without_meaning_in_a_lab},
    {"defer_service_name", without_meaning_in_a_lab},
    {"dnsblog_*", without_meaning_in_a_lab},
    {"error_service_name", without_meaning_in_a_lab},
    {"flush_service_name", without_meaning_in_a_lab},
    {"pickup_service_name", without_meaning_in_a_lab},
    {"postlog_service_name", without_meaning_in_a_lab},
    {"proxymap_service_name", without_meaning_in_a_lab},
    {"proxywrite_service_name", without_meaning_in_a_lab},
    {"queue_service_name", without_meaning_in_a_lab},
    {"rewrite_service_name", without_meaning_in_a_lab},
    {"showq_service_name", without_meaning_in_a_lab},
    {"smtpd_service_name", without_meaning_in_a_lab},
    {"tlsmgr_service_name", without_meaning_in_a_lab},
    {"trace_service_name", without_meaning_in_a_lab},

    // Files on a disk: locks, buffers, hashed directories, where the log goes.
    {"berkeley_db_*", without_meaning_in_a_lab},
    {"biff", without_meaning_in_a_lab},
    {"daemon_table_open_error_is_fatal", not_simulated},
    {"deliver_lock_*", without_meaning_in_a_lab},
    {"hash_queue_*", without_meaning_in_a_lab},
    {"in_flow_delay", without_meaning_in_a_lab},
    {"lmdb_map_size", without_meaning_in_a_lab},
    {"mailbox_delivery_lock", without_meaning_in_a_lab},
    {"maillog_file*", without_meaning_in_a_lab},
    {"queue_minfree", without_meaning_in_a_lab},
    {"stale_lock_time", without_meaning_in_a_lab},
    {"strict_mailbox_ownership", without_meaning_in_a_lab},
    {"sun_mailtool_compatibility", without_meaning_in_a_lab},
    {"syslog_facility", without_meaning_in_a_lab},
    {"tcp_windowsize", without_meaning_in_a_lab},
    {"virtual_mailbox_lock", without_meaning_in_a_lab},

    // Randomness and session caches of TLS.
    {"tls_daemon_random_bytes", without_meaning_in_a_lab},
    {"tls_random_*", without_meaning_in_a_lab},
    {"smtp_tls_session_cache_*", without_meaning_in_a_lab},
    {"lmtp_tls_session_cache_*", without_meaning_in_a_lab},
    {"smtpd_tls_session_cache_*", without_meaning_in_a_lab},

    // Whole features that are not there.
    {"command_execution_directory", not_simulated},
    {"execution_directory_expansion_filter", not_simulated},
    {"require_home_directory", not_simulated},
    {"dnssec_probe", not_simulated},
    {"enable_idna2003_compatibility", not_simulated},
    {"fast_flush_*", not_simulated},
    {"milter_*", not_simulated},
    {"milter_header_checks", not_simulated},
    {"non_smtpd_milters", not_simulated},
    {"postscreen_*", not_simulated},
    {"qmqpd_*", not_simulated},
    {"smtp_dns_reply_filter", not_simulated},
    {"lmtp_dns_reply_filter", not_simulated},
    {"smtpd_dns_reply_filter", not_simulated},
    {"smtp_dns_resolver_options", not_simulated},
    {"lmtp_dns_resolver_options", not_simulated},
    {"smtpd_milter*", not_simulated},
    {"smtp_tls_dane_insecure_mx_policy", not_simulated},
    {"smtp_tls_force_insecure_host_tlsa_lookup", not_simulated},
    {"lmtp_tls_force_insecure_host_tlsa_lookup", not_simulated},
    {"tls_config_*", not_simulated},
    {"tls_dane_digests", not_simulated},
    {"smtpd_upstream_proxy_*", not_simulated},
};

bool matches(std::string_view pattern, std::string_view name) {
    return pattern.ends_with('*') ? name.starts_with(pattern.substr(0, pattern.size() - 1)) : name == pattern;
}

}  // namespace

support support_of(std::string_view name) {
    const support_row* best = nullptr;
    const auto weight = [](const support_row& r) { return r.pattern.size() * 2 + (r.pattern.ends_with('*') ? 0 : 3); };
    for (const auto& row : rows) {
        if (matches(row.pattern, name) && (!best || weight(row) > weight(*best))) best = &row;
    }
    return best ? best->what : simulated;
}

}  // namespace mta::config
