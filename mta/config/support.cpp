// What the lab does with each parameter. What the code asks for is simulated: support_rows.inc, which
// tools/parameter_support.py writes. Of the others the rows below say which are rightly without effect, under a comment
// that says why; what is left is not simulated. A row is a name, or a beginning followed by `*`; an exact name wins
// over a beginning, and of beginnings the longest.
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
    // files, programs and directories of an installation
    {"alternate_config_directories", without_meaning_in_a_lab},
    {"command_directory", without_meaning_in_a_lab},
    {"config_directory", without_meaning_in_a_lab},
    {"cyrus_sasl_config_path", without_meaning_in_a_lab},
    {"mail_release_date", without_meaning_in_a_lab},
    {"mail_version", without_meaning_in_a_lab},
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

    // users, processes and the talk between them: the lab has neither
    {"application_event_drain_time", without_meaning_in_a_lab},
    {"authorized_flush_users", without_meaning_in_a_lab},
    {"authorized_mailq_users", without_meaning_in_a_lab},
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
    {"multi_instance_*", without_meaning_in_a_lab},
    {"postlogd_watchdog_timeout", without_meaning_in_a_lab},
    {"postscreen_watchdog_timeout", without_meaning_in_a_lab},
    {"postmulti_*", without_meaning_in_a_lab},
    {"process_id*", without_meaning_in_a_lab},
    {"proxy_read_maps", without_meaning_in_a_lab},
    {"proxy_write_maps", without_meaning_in_a_lab},
    {"qmgr_daemon_timeout", without_meaning_in_a_lab},
    {"qmgr_ipc_timeout", without_meaning_in_a_lab},
    {"setgid_group", without_meaning_in_a_lab},
    {"tlsproxy_*", without_meaning_in_a_lab},
    {"trigger_timeout", without_meaning_in_a_lab},

    // names of the services that talk to each other
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
    {"address_verify_service_name", without_meaning_in_a_lab},
    {"tlsmgr_service_name", without_meaning_in_a_lab},
    {"trace_service_name", without_meaning_in_a_lab},

    // files on a disk: locks, buffers, hashed directories, where the log goes
    {"backwards_bounce_logfile_compatibility", without_meaning_in_a_lab},
    {"berkeley_db_*", without_meaning_in_a_lab},
    {"biff", without_meaning_in_a_lab},
    {"default_database_type", without_meaning_in_a_lab},
    {"deliver_lock_*", without_meaning_in_a_lab},
    {"dont_remove", without_meaning_in_a_lab},
    {"hash_queue_*", without_meaning_in_a_lab},
    {"in_flow_delay", without_meaning_in_a_lab},
    {"lmdb_map_size", without_meaning_in_a_lab},
    {"mailbox_delivery_lock", without_meaning_in_a_lab},
    {"maillog_file*", without_meaning_in_a_lab},
    {"stale_lock_time", without_meaning_in_a_lab},
    {"strict_mailbox_ownership", without_meaning_in_a_lab},
    {"sun_mailtool_compatibility", without_meaning_in_a_lab},
    {"syslog_facility", without_meaning_in_a_lab},
    {"tcp_windowsize", without_meaning_in_a_lab},
    {"virtual_mailbox_lock", without_meaning_in_a_lab},

    // randomness, session caches and tickets of TLS
    {"tls_daemon_random_bytes", without_meaning_in_a_lab},
    {"tls_random_*", without_meaning_in_a_lab},
    {"tls_session_ticket_cipher", without_meaning_in_a_lab},
    {"smtpd_tls_always_issue_session_ids", without_meaning_in_a_lab},
    {"smtp_tls_session_cache_*", without_meaning_in_a_lab},
    {"lmtp_tls_session_cache_*", without_meaning_in_a_lab},
    {"smtpd_tls_session_cache_*", without_meaning_in_a_lab},
};

constexpr std::string_view simulated_names[] = {
#include "mta/config/support_rows.inc"
};
static_assert(std::is_sorted(std::begin(simulated_names), std::end(simulated_names)));

bool matches(std::string_view pattern, std::string_view name) {
    return pattern.ends_with('*') ? name.starts_with(pattern.substr(0, pattern.size() - 1)) : name == pattern;
}

}  // namespace

support support_of(std::string_view name) {
    if (std::binary_search(std::begin(simulated_names), std::end(simulated_names), name)) return simulated;
    const support_row* best = nullptr;
    const auto weight = [](const support_row& r) { return r.pattern.size() * 2 + (r.pattern.ends_with('*') ? 0 : 3); };
    for (const auto& row : rows) {
        if (matches(row.pattern, name) && (!best || weight(row) > weight(*best))) best = &row;
    }
    return best ? best->what : not_simulated;
}

}  // namespace mta::config
