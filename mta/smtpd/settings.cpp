#include "mta/smtpd/settings.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <iterator>

#include "mta/host.hpp"
#include "mta/master/mail_system.hpp"
#include "mta/table/registry.hpp"
#include "mta/text/strings.hpp"
#include "mta/tls/from_parameters.hpp"

namespace mta::smtpd {
namespace {

// In the order of notice's bits.
constexpr std::string_view notice_names[] = {"policy", "protocol", "resource", "software", "bounce"};

// smtpd_forbid_bare_newline's values; others are fatal.
constexpr std::pair<std::string_view, bare_newline> newline_names[] = {{"no", bare_newline::allowed},
                                                                       {"yes", bare_newline::normalized},
                                                                       {"normalize", bare_newline::normalized},
                                                                       {"reject", bare_newline::rejected}};

bare_newline parse_newline(const config::parameters& p) {
    constexpr const char* name = "smtpd_forbid_bare_newline";
    const std::string value = p.text(name);
    for (const auto& [each, meaning] : newline_names) {
        if (text::equal_ignoring_case(each, value)) return meaning;
    }
    throw config::fatal(p.where(name), fmt::format("bad parameter value: '{} = {}'", name, value));
}

}  // namespace

settings::settings(master::mail_system& mail, master::daemon& service) {
    const config::parameters& p = *service.parameters;
    const auto number = [&](const char* name) { return static_cast<int>(p.number(name)); };
    service_name = service.service.name;
    banner = p.text("smtpd_banner");
    myhostname = p.text("myhostname");
    mail_name = p.text("mail_name");
    content_filter = p.text("content_filter");
    logs_client_port = p.flag("smtpd_client_port_logging");
    double_bounce_sender = p.text("double_bounce_sender");
    error_recipient = p.text("error_notice_recipient");
    bounce_recipient = p.text("bounce_notice_recipient");
    message_size_limit = p.number("message_size_limit");
    minimum_free = p.number("queue_minfree");
    line_length_limit = static_cast<std::size_t>(p.number("line_length_limit"));
    history_limit = static_cast<std::size_t>(p.number("smtpd_history_flush_threshold"));
    soft_error_limit = number("smtpd_soft_error_limit");
    hard_error_limit = number("smtpd_hard_error_limit");
    junk_command_limit = number("smtpd_junk_command_limit");
    recipient_limit = number("smtpd_recipient_limit");
    recipient_overshoot_limit = number("smtpd_recipient_overshoot_limit");
    timeout = p.duration("smtpd_timeout");
    error_sleep_time = p.duration("smtpd_error_sleep_time");
    starttls_timeout = p.duration("smtpd_starttls_timeout");
    helo_required = p.flag("smtpd_helo_required");
    disable_vrfy = p.flag("disable_vrfy_command");
    delays_open = p.flag("smtpd_delay_open_until_valid_rcpt");
    peername_lookup = p.flag("smtpd_peername_lookup");
    strict_envelopes = p.flag("strict_rfc821_envelopes");
    smtputf8 = p.flag("smtputf8_enable");
    strict_smtputf8 = p.flag("strict_smtputf8");
    soft_bounce = p.flag("soft_bounce");
    forbid_pipelining = p.flag("smtpd_forbid_unauth_pipelining");
    bare_newline = parse_newline(p);
    bare_newline_code = number("smtpd_forbid_bare_newline_reject_code");
    connection_count_limit = number("smtpd_client_connection_count_limit");
    connection_rate_limit = number("smtpd_client_connection_rate_limit");
    message_rate_limit = number("smtpd_client_message_rate_limit");
    recipient_rate_limit = number("smtpd_client_recipient_rate_limit");
    tls_rate_limit = number("smtpd_client_new_tls_session_rate_limit");
    auth_rate_limit = number("smtpd_client_auth_rate_limit");
    for (const std::string& word : p.words("notify_classes")) {
        for (std::size_t i = 0; i < std::size(notice_names); ++i) {
            if (text::equal_ignoring_case(word, notice_names[i])) notices |= 1U << i;
        }
    }
    has_reject_footer = !p.text("smtpd_reject_footer").empty() || !p.text("smtpd_reject_footer_maps").empty();
    overrides = cleanup::overrides(p);
    cleanup_service = p.text("cleanup_service_name");
    read_tls(mail, service);
    read_sasl(mail, service);
    read_lists(mail, service);
}

void settings::read_tls(master::mail_system& mail, master::daemon& service) {
    const config::parameters& p = *service.parameters;
    const std::string level = text::lowered(p.text("smtpd_tls_security_level"));
    tls_wrapper = p.flag("smtpd_tls_wrappermode");
    tls_required = level == "encrypt" || level == "fingerprint" || level == "verify" || level == "secure" ||
                   level == "dane" || (level.empty() && p.flag("smtpd_enforce_tls"));
    tls_available = tls_required || level == "may" || (level.empty() && p.flag("smtpd_use_tls"));
    tls_received_header = p.flag("smtpd_tls_received_header");
    tls_require_certificate = tls_required && p.flag("smtpd_tls_req_ccert");
    tls_ask_certificate = p.flag("smtpd_tls_ask_ccert") || tls_require_certificate;
    tls_requires_in_vain = (tls_available || tls_wrapper) && p.flag("smtpd_tls_req_ccert") && !tls_required;
    tls_auth_only = p.flag("smtpd_tls_auth_only") || tls_required;
    tls_log_level = static_cast<int>(text::to_number(p.text("smtpd_tls_loglevel")).value_or(0));
    const bool named = !p.text("smtpd_tls_chain_files").empty() || !p.text("smtpd_tls_cert_file").empty() ||
                       !p.text("smtpd_tls_eccert_file").empty() || !p.text("smtpd_tls_dcert_file").empty();
    tls_lacks_certificates = (tls_available || tls_wrapper) && !named;
    if ((tls_available || tls_wrapper) && named)
        tls_context = tls::server_context(mail, p, tls_required, mail.process_of("smtpd"));
}

void settings::read_sasl(master::mail_system& mail, master::daemon& service) {
    const config::parameters& p = *service.parameters;
    sasl_enabled = p.flag("smtpd_sasl_auth_enable");
    sasl_broken_clients = p.flag("broken_sasl_auth_clients");
    sasl_header = p.flag("smtpd_sasl_authenticated_header");
    sasl_response_limit = static_cast<int>(p.number("smtpd_sasl_response_limit"));
    realm.local_domain = p.text("smtpd_sasl_local_domain");
    realm.host = mail.host().name();
    realm.random = &mail.host().random("sasl");
    realm.password = [host = &mail.host()](std::string_view user, std::string_view domain) {
        return host->sasl_password(user, domain);
    };
    if (!sasl_enabled) return;
    std::vector<table::diagnostic> complaints;
    const table::string_list filter("smtpd_sasl_mechanism_filter", p.text("smtpd_sasl_mechanism_filter"),
                                    mail.shared().tables, mail.table_environment(p), complaints,
                                    table::parent_style::dot_parent);
    clear_offer = offer(p.text("smtpd_sasl_security_options"), filter);
    tls_offer = offer(p.text("smtpd_sasl_tls_security_options"), filter);
    greetings.insert(greetings.end(), complaints.begin(), complaints.end());
}

// What Cyrus SASL has, less what the security options do not allow, less what the filter does not announce.
settings::sasl_offer settings::offer(std::string_view security_options, const table::string_list& filter) {
    sasl_offer made;
    std::vector<std::string> unknown;
    made.wanted = sasl::parse_properties(security_options, unknown);
    if (!unknown.empty()) {
        made.warnings.push_back(
            fmt::format("unknown SASL security options value \"{}\" in \"{}\"", unknown.front(), security_options));
        made.warnings.emplace_back("bad per-session SASL security properties");
        made.fatal = "SASL per-connection initialization failed";
        return made;
    }
    std::vector<std::string_view> permitted;
    for (const std::string_view each : sasl::mechanisms()) {
        if (sasl::permitted(each, made.wanted) == sasl::code::ok) permitted.push_back(each);
    }
    if (permitted.empty()) {
        made.warnings.emplace_back("xsasl_cyrus_server_get_mechanism_list: no applicable SASL mechanisms");
        made.fatal = "no SASL authentication mechanisms";
        return made;
    }
    for (const std::string_view each : permitted) {
        if (filter.match(each).matched()) made.mechanisms.push_back(each);
    }
    if (made.mechanisms.empty()) {
        made.fatal =
            fmt::format("smtpd_sasl_mechanism_filter discards all mechanisms in '{}'", fmt::join(permitted, " "));
    }
    return made;
}

void settings::read_lists(master::mail_system& mail, master::daemon& service) {
    const config::parameters& p = *service.parameters;
    std::vector<table::diagnostic> complaints;
    const auto environment = mail.table_environment(p);
    const std::string parents = p.text("parent_domain_matches_subdomains");
    const auto clients = [&](const char* name) {
        return table::name_address_list(name, p.text(name), mail.shared().tables, environment, complaints,
                                        table::parent_style_of(name, parents));
    };
    const auto words = [&](const char* name) {
        return table::string_list(name, p.text(name), mail.shared().tables, environment, complaints,
                                  table::parent_style_of(name, parents));
    };
    bare_newline_exclusions = clients("smtpd_forbid_bare_newline_exclusions");
    sasl_exceptions = clients("smtpd_sasl_exceptions_networks");
    xclient_hosts = clients("smtpd_authorized_xclient_hosts");
    xforward_hosts = clients("smtpd_authorized_xforward_hosts");
    verp_clients = clients("smtpd_authorized_verp_clients");
    default_verp_delimiters = p.text("default_verp_delimiters");
    verp_delimiter_filter = p.text("verp_delimiter_filter");
    limit_exceptions = clients("smtpd_client_event_limit_exceptions");
    noop_commands = words("smtpd_noop_commands");
    forbidden_commands = words("smtpd_forbidden_commands");
    fast_flush_domains =
        table::domain_list("fast_flush_domains", p.text("fast_flush_domains"), mail.shared().tables, environment,
                           complaints, table::parent_style_of("fast_flush_domains", parents));
    std::vector<table::diagnostic> flush_says;  // its own complaints are not this service's
    flush_service_domains =
        table::domain_list("fast_flush_domains", mail.parameters().text("fast_flush_domains"), mail.shared().tables,
                           environment, flush_says, table::parent_style_of("fast_flush_domains", parents));
    local_clients = std::make_shared<const cleanup::local_clients>(mail, p, complaints);
    const std::string filter = p.text("smtpd_command_filter");
    if (!filter.empty()) {
        table::open_options octets;
        octets.utf8 = false;
        const auto opened = mail.shared().tables.open(filter, environment, octets);
        command_filter = opened.value;
        complaints.insert(complaints.end(), opened.diagnostics.begin(), opened.diagnostics.end());
    }
    discarded_keywords_by_address =
        table::maps::open("smtpd_discard_ehlo_keyword_address_maps", p.text("smtpd_discard_ehlo_keyword_address_maps"),
                          mail.shared().tables, environment, {}, complaints);
    greetings.insert(greetings.end(), complaints.begin(), complaints.end());
    discarded_keywords = parse_keywords(p.text("smtpd_discard_ehlo_keywords"));
}

}  // namespace mta::smtpd
