#include "mta/smtpd/settings.hpp"

#include "mta/master/mail_system.hpp"
#include "mta/text/strings.hpp"
#include "mta/tls/from_parameters.hpp"

namespace mta::smtpd {

settings::settings(master::mail_system& mail, master::daemon& service) {
    const config::parameters& p = *service.parameters;
    banner = p.text("smtpd_banner");
    myhostname = p.text("myhostname");
    mail_name = p.text("mail_name");
    content_filter = p.text("content_filter");
    message_size_limit = p.number("message_size_limit");
    line_length_limit = static_cast<std::size_t>(p.number("line_length_limit"));
    soft_error_limit = static_cast<int>(p.number("smtpd_soft_error_limit"));
    hard_error_limit = static_cast<int>(p.number("smtpd_hard_error_limit"));
    junk_command_limit = static_cast<int>(p.number("smtpd_junk_command_limit"));
    recipient_limit = static_cast<int>(p.number("smtpd_recipient_limit"));
    timeout = p.duration("smtpd_timeout");
    error_sleep_time = p.duration("smtpd_error_sleep_time");
    starttls_timeout = p.duration("smtpd_starttls_timeout");
    delay_reject = p.flag("smtpd_delay_reject");
    helo_required = p.flag("smtpd_helo_required");
    disable_vrfy = p.flag("disable_vrfy_command");
    peername_lookup = p.flag("smtpd_peername_lookup");
    strict_envelopes = p.flag("strict_rfc821_envelopes");
    smtputf8 = p.flag("smtputf8_enable");
    forbid_bare_newline = text::lowered(p.text("smtpd_forbid_bare_newline")) != "no";
    has_reject_footer = !p.text("smtpd_reject_footer").empty() || !p.text("smtpd_reject_footer_maps").empty();
    const std::string level = text::lowered(p.text("smtpd_tls_security_level"));
    tls_required = level == "encrypt" || (level.empty() && p.flag("smtpd_enforce_tls"));
    tls_available = tls_required || level == "may" || (level.empty() && p.flag("smtpd_use_tls"));
    tls_wrapper = p.flag("smtpd_tls_wrappermode");
    tls_received_header = p.flag("smtpd_tls_received_header");
    tls_require_client_certificate = p.flag("smtpd_tls_req_ccert");
    tls_log_level = static_cast<int>(text::to_number(p.text("smtpd_tls_loglevel")).value_or(0));
    if (tls_available || tls_wrapper) tls_context = tls::server_context(mail, p, tls_required, mail.process_of("smtpd"));
    overrides = cleanup::overrides(p);
    cleanup_service = p.text("cleanup_service_name");
    std::vector<table::diagnostic> complaints;
    local_clients = std::make_shared<const cleanup::local_clients>(mail, p, complaints);
    for (const table::diagnostic& each : complaints) mail.warn(mail.process_of("smtpd"), each.text);
    for (const std::string& each : p.words("smtpd_discard_ehlo_keywords")) discarded_keywords.insert(text::lowered(each));
}

}  // namespace mta::smtpd
