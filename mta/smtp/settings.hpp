// mta/smtp/settings.hpp - the parameters of one SMTP or LMTP client service, read at its start (smtp(8)).
#pragma once
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "mta/async/scheduler.hpp"
#include "mta/smtp/filters.hpp"
#include "mta/smtp/next_hop.hpp"
#include "mta/tls/tls_stream.hpp"

namespace mta::master {
class mail_system;
struct daemon;
}  // namespace mta::master

namespace mta::smtp {

// What the postmaster may want to hear of (notify_classes), as bits.
enum trouble : unsigned { protocol_trouble = 1, data_trouble = 2 };

struct settings {
    bool lmtp = false;
    std::uint16_t port = 25;
    std::string myhostname, helo_name;
    std::vector<std::string> fallback_relays;
    std::string bind_address, relayhost, best_mx_transport;
    lookup_settings lookup;
    std::int64_t address_limit = 5, session_limit = 2;
    bool probes_data = false;  // smtp_address_verify_target
    bool skip_5xx_greeting = true, skip_quit_response = true, always_send_ehlo = true, never_send_ehlo = false;
    bool smtputf8 = true, helpful_warnings = true;
    bool sends_xforward = false;  // smtp_send_xforward_command
    bool lmtp_is_final = false;   // lmtp_assume_final
    unsigned notices = 0;         // of session::trouble: what the postmaster wants to hear of
    std::string error_recipient, double_bounce_sender;
    filters outgoing;
    duration connect_timeout, helo_timeout, mail_timeout, rcpt_timeout, data_init_timeout, data_xfer_timeout,
        data_done_timeout, quit_timeout, rset_timeout, starttls_timeout, xforward_timeout;

    // smtp_tls_security_level: nothing is "none".
    std::optional<tls::security_level> tls_level;
    int tls_log_level = 0;
    bool note_starttls_offer = false;
    std::shared_ptr<const tls::context> tls_context;
    duration minimal_backoff;

    settings(master::mail_system& mail, master::daemon& service);
};

}  // namespace mta::smtp
