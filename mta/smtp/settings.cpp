#include "mta/smtp/settings.hpp"

#include <map>

#include "mta/config/master_cf.hpp"
#include "mta/master/mail_system.hpp"
#include "mta/text/strings.hpp"
#include "mta/tls/from_parameters.hpp"

namespace mta::smtp {
namespace {

// smtp_tls_security_level, or what the older smtp_use_tls and smtp_enforce_tls mean.
std::optional<tls::security_level> level_of(const config::parameters& p, const std::string& prefix) {
    static const std::map<std::string, std::optional<tls::security_level>, std::less<>> levels = {
        {"none", std::nullopt},
        {"may", tls::security_level::may},
        {"encrypt", tls::security_level::encrypt},
        {"fingerprint", tls::security_level::fingerprint},
        {"dane", tls::security_level::dane},
        {"dane-only", tls::security_level::dane},
        {"verify", tls::security_level::verify},
        {"secure", tls::security_level::secure}};
    const std::string text = text::lowered(p.text(prefix + "tls_security_level"));
    if (!text.empty()) {
        const auto found = levels.find(text);
        if (found == levels.end()) {
            throw config::fatal(p.where(prefix + "tls_security_level"), "invalid TLS security level: \"" + text + "\"");
        }
        return found->second;
    }
    if (p.flag(prefix + "enforce_tls")) {
        return p.flag(prefix + "tls_enforce_peername") ? tls::security_level::verify : tls::security_level::encrypt;
    }
    if (p.flag(prefix + "use_tls")) return tls::security_level::may;
    return std::nullopt;
}

std::string prefix_of(const master::daemon& service) {
    return service.service.command == "lmtp" ? "lmtp_" : "smtp_";
}

filters open_filters(master::mail_system& mail, const master::daemon& service) {
    std::vector<table::diagnostic> complaints;
    filters opened(mail, *service.parameters, prefix_of(service), complaints);
    for (const table::diagnostic& each : complaints) mail.warn(mail.process_of(service.service.command), each.text);
    return opened;
}

}  // namespace

settings::settings(master::mail_system& mail, master::daemon& service)
    : lmtp(service.service.command == "lmtp"), outgoing(open_filters(mail, service)) {
    const config::parameters& p = *service.parameters;
    const std::string prefix = prefix_of(service);
    const auto time = [&](const char* name) { return p.duration(prefix + name); };
    port = config::port_of(p.text(lmtp ? "lmtp_tcp_port" : "smtp_tcp_port")).value_or(lmtp ? 24 : 25);
    myhostname = p.text("myhostname");
    helo_name = p.text(lmtp ? "lmtp_lhlo_name" : "smtp_helo_name");
    fallback_relays = p.words(lmtp ? "lmtp_fallback_relay" : "smtp_fallback_relay");
    bind_address = p.text(prefix + "bind_address");
    lookup.randomize = p.flag(prefix + "randomize_addresses");
    lookup.ignore_mx_lookup_error = !lmtp && p.flag("ignore_mx_lookup_error");
    lookup.defer_if_no_mx_address_found = !lmtp && p.flag("smtp_defer_if_no_mx_address_found");
    best_mx_transport = p.text("best_mx_transport");
    relayhost = p.text("relayhost");
    address_limit = p.number(prefix + "mx_address_limit");
    session_limit = p.number(prefix + "mx_session_limit");
    probes_data = text::equal_ignoring_case(p.text(prefix + "address_verify_target"), "data");
    skip_5xx_greeting = p.flag(prefix + "skip_5xx_greeting");
    skip_quit_response = p.flag(prefix + "skip_quit_response");
    always_send_ehlo = lmtp || p.flag("smtp_always_send_ehlo");
    never_send_ehlo = !lmtp && p.flag("smtp_never_send_ehlo");
    smtputf8 = p.flag("smtputf8_enable");
    helpful_warnings = p.flag("helpful_warnings");
    sends_xforward = p.flag(prefix + "send_xforward_command");
    lmtp_is_final = lmtp && p.flag("lmtp_assume_final");
    for (const std::string& each : p.words("notify_classes")) {
        if (text::equal_ignoring_case(each, "protocol")) notices |= protocol_trouble;
        if (text::equal_ignoring_case(each, "data")) notices |= data_trouble;
    }
    error_recipient = p.text("error_notice_recipient");
    double_bounce_sender = p.text("double_bounce_sender") + "@" + myhostname;
    connect_timeout = time("connect_timeout");
    helo_timeout = lmtp ? time("lhlo_timeout") : time("helo_timeout");
    mail_timeout = time("mail_timeout");
    rcpt_timeout = time("rcpt_timeout");
    data_init_timeout = time("data_init_timeout");
    data_xfer_timeout = time("data_xfer_timeout");
    data_done_timeout = time("data_done_timeout");
    quit_timeout = time("quit_timeout");
    rset_timeout = time("rset_timeout");
    starttls_timeout = time("starttls_timeout");
    xforward_timeout = time("xforward_timeout");
    minimal_backoff = p.duration("minimal_backoff_time");
    tls_level = level_of(p, prefix);
    tls_log_level = static_cast<int>(text::to_number(p.text(prefix + "tls_loglevel")).value_or(0));
    note_starttls_offer = p.flag(prefix + "tls_note_starttls_offer");
    if (tls_level) tls_context = tls::client_context(mail, p, prefix, *tls_level);
}

}  // namespace mta::smtp
