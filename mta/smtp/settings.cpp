#include "mta/smtp/settings.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "mta/config/master_cf.hpp"
#include "mta/master/mail_system.hpp"
#include "mta/text/strings.hpp"
#include "mta/tls/from_parameters.hpp"

namespace mta::smtp {
namespace {

std::string prefix_of(const master::daemon& service) {
    return service.service.command == "lmtp" ? "lmtp_" : "smtp_";
}

filters open_filters(master::mail_system& mail, const master::daemon& service) {
    std::vector<table::diagnostic> complaints;
    filters opened(mail, *service.parameters, prefix_of(service), complaints);
    for (const table::diagnostic& each : complaints) mail.log(mail.process_of(service.service.command), each);
    return opened;
}

std::optional<address::ip_address> source_address(const config::parameters& p, const std::string& parameter) {
    const std::string source = p.text(parameter);
    const auto parsed = address::ip_address::parse(source);
    if (!source.empty() && !parsed) {
        throw config::fatal(
            p.where(parameter),
            fmt::format("smtp_connect_addr: bad {} parameter: {}: Name or service not known", parameter, source));
    }
    return parsed;
}

}  // namespace

settings::settings(master::mail_system& mail, master::daemon& service)
    : lmtp(service.service.command == "lmtp"),
      outgoing(open_filters(mail, service)),
      policies(mail, *service.parameters, prefix_of(service)),
      sasl(mail, *service.parameters, prefix_of(service), lmtp) {
    const config::parameters& p = *service.parameters;
    const std::string prefix = prefix_of(service);
    const auto time = [&](const char* name) { return p.duration(prefix + name); };
    port = config::port_of(p.text(lmtp ? "lmtp_tcp_port" : "smtp_tcp_port")).value_or(lmtp ? 24 : 25);
    myhostname = p.text("myhostname");
    helo_name = p.text(lmtp ? "lmtp_lhlo_name" : "smtp_helo_name");
    fallback_relays = p.words(lmtp ? "lmtp_fallback_relay" : "smtp_fallback_relay");
    bind_address = source_address(p, prefix + "bind_address");
    bind_address6 = source_address(p, prefix + "bind_address6");
    bind_address_enforced = p.flag(prefix + "bind_address_enforce");
    dummy_mail_auth = p.flag(prefix + "send_dummy_mail_auth");
    lookup.order.randomize = p.flag(prefix + "randomize_addresses");
    const std::string preferred = p.text(prefix + "address_preference");
    if (text::equal_ignoring_case(preferred, "ipv4")) lookup.order.preferred = family_preference::ipv4;
    if (text::equal_ignoring_case(preferred, "ipv6")) lookup.order.preferred = family_preference::ipv6;
    lookup.ignore_mx_lookup_error = !lmtp && p.flag("ignore_mx_lookup_error");
    lookup.defer_if_no_mx_address_found = !lmtp && p.flag("smtp_defer_if_no_mx_address_found");
    const std::string dns_support = p.text(prefix + "dns_support_level");
    lookup.has_dns =
        dns_support.empty() ? !p.flag("disable_dns_lookups") : !text::equal_ignoring_case(dns_support, "disabled");
    lookup.asks_dns = lookup.asks_natively = false;
    for (const std::string& each : p.words(prefix + "host_lookup")) {
        if (text::equal_ignoring_case(each, "dns")) lookup.asks_dns = true;
        if (text::equal_ignoring_case(each, "native")) lookup.asks_natively = true;
    }
    if (!lookup.has_dns) lookup.asks_dns = false, lookup.asks_natively = true;
    lookup.protocols = config::inet_protocols::parse(p.text("inet_protocols"));
    best_mx_transport = p.text("best_mx_transport");
    relayhost = p.text("relayhost");
    address_limit = p.number(prefix + "mx_address_limit");
    session_limit = p.number(prefix + "mx_session_limit");
    if (p.flag(prefix + "balance_inet_protocols")) {
        lookup.order.balanced_limit = static_cast<std::size_t>(std::max<std::int64_t>(0, address_limit));
    }
    probes_data = text::equal_ignoring_case(p.text(prefix + "address_verify_target"), "data");
    skip_5xx_greeting = p.flag(prefix + "skip_5xx_greeting");
    skip_quit_response = p.flag(prefix + "skip_quit_response");
    always_send_ehlo = lmtp || p.flag("smtp_always_send_ehlo");
    never_send_ehlo = !lmtp && p.flag("smtp_never_send_ehlo");
    smtputf8 = p.flag("smtputf8_enable");
    helpful_warnings = p.flag("helpful_warnings");
    quotes_envelope = p.flag(prefix + "quote_rfc821_envelope");
    sends_xforward = p.flag(prefix + "send_xforward_command");
    for (const std::string& each : service.service.arguments) {
        if (each.starts_with("flags=")) {
            flags = each.substr(6);
        } else if (!each.starts_with('-')) {
            throw config::fatal(service.service.where, "unknown attribute name: " + each);
        } else if (const auto odd = each.find_first_not_of("cdDlSuvVz", 1); odd != each.npos) {
            throw config::fatal(service.service.where, fmt::format("invalid option: {}", each[odd]));
        }
    }
    const bool assumed = lmtp && p.flag("lmtp_assume_final");
    is_final = assumed || flags.find('X') != std::string::npos;
    if (assumed) {
        mail.warn(mail.process_of("lmtp"), "lmtp_assume_final is obsolete; instead, specify \"flags=X\" in master.cf");
    }
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
    tls_wrapper_mode = p.flag(prefix + "tls_wrappermode");
    tls_log_level = static_cast<int>(text::to_number(p.text(prefix + "tls_loglevel")).value_or(0));
    note_starttls_offer = p.flag(prefix + "tls_note_starttls_offer");
    if (policies.in_use()) tls_context = tls::client_context(mail, p, prefix);
    dane.dnssec = text::equal_ignoring_case(p.text(prefix + "dns_support_level"), "dnssec");
    dane.probe = p.text("dnssec_probe");
    dane.ignores_mx_errors = lookup.ignore_mx_lookup_error;
    dane.asks_insecure_hosts = p.flag(prefix + "tls_force_insecure_host_tlsa_lookup");
    if (!lmtp) {
        const auto policy = tls_level_named(p.text("smtp_tls_dane_insecure_mx_policy"));
        dane.insecure_mx = policy.value_or(tls_level::may);
    }
    read_greeting_parameters(mail, p, prefix);
    read_cache_parameters(mail, p, prefix);
}

void settings::read_greeting_parameters(master::mail_system& mail, const config::parameters& p,
                                        const std::string& prefix) {
    std::vector<table::diagnostic> complaints;
    const auto open = [&](const std::string& name) {
        return table::maps::open(name, p.text(name), mail.shared().tables, mail.table_environment(p), {}, complaints);
    };
    discard_maps_name = lmtp ? "lmtp_discard_lhlo_keyword_address_maps" : "smtp_discard_ehlo_keyword_address_maps";
    discard_maps = open(discard_maps_name);
    pix_workaround_maps = open(prefix + "pix_workaround_maps");
    dns_filter = open(prefix + "dns_reply_filter");
    if (!dns_filter.empty()) lookup.reply_filter = &dns_filter;
    for (const table::diagnostic& each : complaints) mail.log(mail.process_of("smtp"), each);
    pix_workarounds = p.text(prefix + "pix_workarounds");
    pix_threshold = p.duration(prefix + "pix_workaround_threshold_time");
    pix_delay = p.duration(prefix + "pix_workaround_delay_time");
    discarded_keywords =
        config::parse_keywords(p.text(lmtp ? "lmtp_discard_lhlo_keywords" : "smtp_discard_ehlo_keywords"));
}

void settings::read_cache_parameters(master::mail_system& mail, const config::parameters& p,
                                     const std::string& prefix) {
    const std::string name = prefix + "connection_cache_destinations";
    const std::string destinations = p.text(name);
    std::vector<table::diagnostic> complaints;
    if (!destinations.empty()) {
        cached_destinations.emplace(name, destinations, mail.shared().tables, mail.table_environment(p), complaints,
                                    table::parent_style::dot_parent);
    }
    for (const table::diagnostic& each : complaints) mail.log(mail.process_of("smtp"), each);
    cache_on_demand = p.flag(prefix + "connection_cache_on_demand");
    // scache(8) has a limit of its own.
    cache_time = std::min(p.duration(prefix + "connection_cache_time_limit"), p.duration("connection_cache_ttl_limit"));
    reuse_time = p.duration(prefix + "connection_reuse_time_limit");
    reuse_count_limit = static_cast<std::uint32_t>(p.number(prefix + "connection_reuse_count_limit"));
}

}  // namespace mta::smtp
