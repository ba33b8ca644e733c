// mta/smtpd/settings.hpp - the parameters of one SMTP server service, read at its start (smtpd(8)).
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "mta/async/scheduler.hpp"
#include "mta/cleanup/cleanup.hpp"
#include "mta/cleanup/local_clients.hpp"
#include "mta/config/ehlo_keywords.hpp"
#include "mta/sasl/server.hpp"
#include "mta/table/maps.hpp"
#include "mta/table/match_list.hpp"
#include "mta/tls/tls_stream.hpp"

namespace mta::master {
class mail_system;
struct daemon;
}  // namespace mta::master

namespace mta::smtpd {

// What a reply to EHLO may leave out (smtpd_discard_ehlo_keywords).
using config::bit;
using config::keyword;
using config::keyword_set;
using config::names_of;
using config::parse_keywords;

// notify_classes, as far as smtpd(8) causes them.
enum class notice : std::uint8_t { none = 0, policy = 1, protocol = 2, resource = 4, software = 8, bounce = 16 };

// smtpd_forbid_bare_newline
enum class bare_newline : std::uint8_t { allowed, normalized, rejected };

struct settings {
    std::string service_name, banner, myhostname, mail_name, content_filter, double_bounce_sender, error_recipient,
        bounce_recipient;
    std::int64_t message_size_limit, minimum_free;
    std::size_t line_length_limit, history_limit;
    int soft_error_limit, hard_error_limit, junk_command_limit, recipient_limit, recipient_overshoot_limit;
    duration timeout, error_sleep_time, starttls_timeout;
    bool helo_required, disable_vrfy, delays_open, peername_lookup, strict_envelopes, smtputf8, strict_smtputf8;
    bool soft_bounce, forbid_pipelining, logs_client_port;
    smtpd::bare_newline bare_newline = bare_newline::allowed;
    int bare_newline_code;
    table::name_address_list bare_newline_exclusions;

    bool tls_available, tls_required, tls_received_header, tls_wrapper, tls_ask_certificate, tls_require_certificate,
        tls_auth_only;
    int tls_log_level;
    bool tls_lacks_certificates = false;
    bool tls_requires_in_vain = false;  // certificates of clients that need not speak TLS
    std::shared_ptr<const tls::context> tls_context;

    bool sasl_enabled, sasl_broken_clients, sasl_header;
    int sasl_response_limit;
    sasl::realm realm;
    // What smtpd_sasl_security_options leaves: in the clear, and over TLS.
    struct sasl_offer {
        std::vector<std::string_view> mechanisms;  // as announced
        sasl::property_set wanted = 0;
        std::vector<std::string> warnings;
        std::string fatal;  // no session gets further than to the line that it has connected
    };
    sasl_offer clear_offer, tls_offer;
    table::name_address_list sasl_exceptions;

    keyword_set discarded_keywords = 0;
    table::maps discarded_keywords_by_address;
    table::string_list noop_commands, forbidden_commands;
    table::table_ptr command_filter;
    table::domain_list fast_flush_domains;
    table::domain_list flush_service_domains;  // the same, as flush(8) has it from main.cf
    table::name_address_list xclient_hosts, xforward_hosts, verp_clients;
    std::string default_verp_delimiters, verp_delimiter_filter;
    std::shared_ptr<const cleanup::local_clients> local_clients;
    cleanup::overrides overrides;  // receive_override_options
    std::string cleanup_service;
    bool has_reject_footer;                    // smtpd_reject_footer, smtpd_reject_footer_maps
    std::vector<table::diagnostic> greetings;  // what a process says of its lists when it starts
    unsigned notices = 0;                      // bits of `notice`

    int connection_count_limit, connection_rate_limit, message_rate_limit, recipient_rate_limit, tls_rate_limit,
        auth_rate_limit;
    table::name_address_list limit_exceptions;

    settings(master::mail_system& mail, master::daemon& service);

  private:
    void read_tls(master::mail_system& mail, master::daemon& service);
    void read_sasl(master::mail_system& mail, master::daemon& service);
    static sasl_offer offer(std::string_view security_options, const table::string_list& filter);
    void read_lists(master::mail_system& mail, master::daemon& service);
};

}  // namespace mta::smtpd
