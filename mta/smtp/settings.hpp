// mta/smtp/settings.hpp - the parameters of one SMTP or LMTP client service, read at its start (smtp(8)).
#pragma once
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "mta/address/ip_address.hpp"
#include "mta/async/scheduler.hpp"
#include "mta/config/ehlo_keywords.hpp"
#include "mta/smtp/dane.hpp"
#include "mta/smtp/filters.hpp"
#include "mta/smtp/next_hop.hpp"
#include "mta/smtp/sasl_settings.hpp"
#include "mta/smtp/tls_policy.hpp"
#include "mta/table/match_list.hpp"
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
    std::optional<address::ip_address> bind_address, bind_address6;
    bool bind_address_enforced = false;
    std::string relayhost, best_mx_transport;
    bool dummy_mail_auth = false;  // smtp_send_dummy_mail_auth: AUTH=<> with MAIL
    lookup_settings lookup;
    std::int64_t address_limit = 5, session_limit = 2;
    bool probes_data = false;  // smtp_address_verify_target
    bool skip_5xx_greeting = true, skip_quit_response = true, always_send_ehlo = true, never_send_ehlo = false;
    bool smtputf8 = true, helpful_warnings = true, quotes_envelope = true;
    bool sends_xforward = false;  // smtp_send_xforward_command
    bool is_final = false;        // lmtp_assume_final, flags=X: no mail server comes after
    std::string flags;            // of master.cf: D, O and R are headers to put on top
    unsigned notices = 0;         // of session::trouble: what the postmaster wants to hear of
    std::string error_recipient, double_bounce_sender;
    filters outgoing;
    duration connect_timeout, helo_timeout, mail_timeout, rcpt_timeout, data_init_timeout, data_xfer_timeout,
        data_done_timeout, quit_timeout, rset_timeout, starttls_timeout, xforward_timeout;

    // What the greeting and EHLO are taken for.
    std::string pix_workarounds, discard_maps_name;
    table::maps pix_workaround_maps, discard_maps, dns_filter;
    config::keyword_set discarded_keywords = 0;
    duration pix_threshold{}, pix_delay{};

    tls_policies policies;
    dane_settings dane;
    sasl_settings sasl;
    bool tls_wrapper_mode = false;
    int tls_log_level = 0;
    bool note_starttls_offer = false;
    std::shared_ptr<const tls::context> tls_context;  // null: no TLS at all
    duration minimal_backoff;

    // Connections that are kept for the next message.
    std::optional<table::string_list> cached_destinations;
    bool cache_on_demand = true;
    duration cache_time{}, reuse_time{};
    std::uint32_t reuse_count_limit = 0;

    settings(master::mail_system& mail, master::daemon& service);
    // A server with our own name is a loop where mail comes in: on the SMTP port.
    bool detects_loops(std::uint16_t at_port) const { return !lmtp && at_port == 25; }

  private:
    void read_greeting_parameters(master::mail_system& mail, const config::parameters& p, const std::string& prefix);
    void read_cache_parameters(master::mail_system& mail, const config::parameters& p, const std::string& prefix);
};

}  // namespace mta::smtp
