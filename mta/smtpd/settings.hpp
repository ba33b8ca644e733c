// mta/smtpd/settings.hpp - the parameters of one SMTP server service, read at its start (smtpd(8)).
#pragma once
#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "mta/async/scheduler.hpp"
#include "mta/cleanup/cleanup.hpp"
#include "mta/cleanup/local_clients.hpp"
#include "mta/tls/tls_stream.hpp"

namespace mta::master {
class mail_system;
struct daemon;
}

namespace mta::smtpd {

struct settings {
    std::string banner, myhostname, mail_name, content_filter;
    std::int64_t message_size_limit;
    std::size_t line_length_limit;
    int soft_error_limit, hard_error_limit, junk_command_limit, recipient_limit;
    duration timeout, error_sleep_time, starttls_timeout;
    bool delay_reject, helo_required, disable_vrfy, peername_lookup, strict_envelopes, smtputf8, forbid_bare_newline;
    bool has_reject_footer;                                     // smtpd_reject_footer, smtpd_reject_footer_maps
    bool tls_available, tls_required, tls_received_header, tls_wrapper, tls_require_client_certificate;
    int tls_log_level;
    std::shared_ptr<const tls::context> tls_context;
    std::set<std::string, std::less<>> discarded_keywords;      // smtpd_discard_ehlo_keywords, lower case

    cleanup::overrides overrides;                               // receive_override_options
    std::string cleanup_service;
    std::shared_ptr<const cleanup::local_clients> local_clients;

    settings(master::mail_system& mail, master::daemon& service);
};

}  // namespace mta::smtpd
