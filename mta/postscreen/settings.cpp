#include "mta/postscreen/settings.hpp"

#include <fmt/format.h>

#include "mta/address/host_name.hpp"
#include "mta/cleanup/settings.hpp"
#include "mta/config/parameters.hpp"
#include "mta/master/mail_system.hpp"
#include "mta/text/strings.hpp"
#include "mta/tls/from_parameters.hpp"

namespace mta::postscreen {
namespace {

action action_of(const config::parameters& p, const char* name) {
    const std::string text = text::lowered(p.text(name));
    if (text == "ignore" || text == "continue") return action::ignore;
    if (text == "enforce") return action::enforce;
    if (text == "drop") return action::drop;
    throw config::fatal(p.where(name), fmt::format("bad {} value: {}", name, p.text(name)));
}

int number(const config::parameters& p, const char* name) {
    return static_cast<int>(p.number(name));
}

// The raw parameters' defaults are others' values as they stand.
std::string raw_text(const config::parameters& p, const char* name, const char* default_of) {
    return p.text(p.is_set(name) ? name : default_of);
}

// "%d" of scanf(3) and nothing more.
std::optional<int> weight_of(std::string_view text) {
    const bool negative = text.starts_with('-');
    if (negative || text.starts_with('+')) text.remove_prefix(1);
    constexpr std::int64_t most = 1'000'000;
    const auto number = text::to_number(text);
    if (!number || *number > most) return std::nullopt;
    return static_cast<int>(negative ? -*number : *number);
}

}  // namespace

dnsbl_site parse_site(std::string_view given) {
    dnsbl_site site;
    std::string_view text = given;
    const auto star = text.rfind('*');
    if (star != std::string_view::npos) {
        const auto weight = weight_of(text.substr(star + 1));
        if (!weight)
            throw config::fatal({},
                                fmt::format("bad DNSBL weight factor \"{}\" in \"{}\"", text.substr(star + 1), given));
        site.weight = *weight;
        text = text.substr(0, star);
    }
    const auto equals = text.find('=');
    if (equals != std::string_view::npos) {
        auto parsed = smtpd::dnsbl_filter::parse(text.substr(equals + 1));
        if (!parsed.filter) throw config::fatal({}, fmt::format("bad DNSBL filter syntax: {}", parsed.error));
        site.filter = std::move(parsed.filter);
        text = text.substr(0, equals);
    }
    site.domain = site.shown = std::string(text);
    return site;
}

settings::settings(master::mail_system& mail, master::daemon& service) {
    const config::parameters& p = *service.parameters;
    myhostname = p.text("myhostname");
    banner = p.text("smtpd_banner");
    teaser = p.text("postscreen_greet_banner");
    cache_map = p.text("postscreen_cache_map");
    footer = raw_text(p, "postscreen_reject_footer", "smtpd_reject_footer");
    expansion_filter = cleanup::unescaped(raw_text(p, "postscreen_expansion_filter", "smtpd_expansion_filter"));
    read_tables(mail, p);
    read_sites(mail, p);
    const config::definition under_stress{"stress", "yes", {}};
    const auto stressed = config::parameters::layer(service.parameters, std::span(&under_stress, 1));
    greet_wait = {p.duration("postscreen_greet_wait"), stressed->duration("postscreen_greet_wait")};
    command_time_limit = {p.duration("postscreen_command_time_limit"),
                          stressed->duration("postscreen_command_time_limit")};
    read_tests(p);
    read_limits(p);
    read_tls(mail, p);
}

void settings::read_tables(master::mail_system& mail, const config::parameters& p) {
    std::vector<table::diagnostic>& said = warnings;
    const std::string parents = p.text("parent_domain_matches_subdomains");
    auto& registry = mail.shared().tables;
    const auto environment = mail.table_environment(p);
    footer_maps = table::maps::open("postscreen_reject_footer_maps", p.text("postscreen_reject_footer_maps"), registry,
                                    environment, {}, said);
    mynetworks = {
        "mynetworks", p.text("mynetworks"), registry, environment, said, table::parent_style_of("mynetworks", parents)};
    allowlist_interfaces = {
        "postscreen_allowlist_interfaces", p.text("postscreen_allowlist_interfaces"), registry, environment, said,
        table::parent_style::dot_parent};
    for (const std::string& word : p.words("postscreen_access_list")) {
        access_rule rule;
        rule.word = word;
        rule.is_table = word.find(':') != std::string::npos;
        if (rule.is_table) {
            const auto opened = registry.open(word, environment, {});
            rule.lookup = opened.value;
            said.insert(said.end(), opened.diagnostics.begin(), opened.diagnostics.end());
        }
        access.push_back(std::move(rule));
    }
    if (const std::string filter = p.text("postscreen_command_filter"); !filter.empty()) {
        table::open_options octets;
        octets.utf8 = false;
        const auto opened = registry.open(filter, environment, octets);
        command_filter = opened.value;
        said.insert(said.end(), opened.diagnostics.begin(), opened.diagnostics.end());
    }
    discarded_by_address =
        table::maps::open("postscreen_discard_ehlo_keyword_address_maps",
                          p.text("postscreen_discard_ehlo_keyword_address_maps"), registry, environment, {}, said);
    forbidden_commands = {"postscreen_forbidden_commands",
                          p.text("postscreen_forbidden_commands"),
                          registry,
                          environment,
                          said,
                          table::parent_style_of("postscreen_forbidden_commands", parents)};
}

void settings::read_sites(master::mail_system& mail, const config::parameters& p) {
    const table::maps replies = table::maps::open("postscreen_dnsbl_reply_map", p.text("postscreen_dnsbl_reply_map"),
                                                  mail.shared().tables, mail.table_environment(p), {}, warnings);
    for (const std::string& word : p.words("postscreen_dnsbl_sites")) {
        dnsbl_site site = parse_site(word);
        if (const auto fault = address::hostname_fault(site.domain)) {
            mail.warn(mail.process_of("postscreen"), *fault);
            throw config::fatal(p.where("postscreen_dnsbl_sites"),
                                fmt::format("bad DNSBL domain name \"{}\" in \"{}\"", site.domain, word));
        }
        const table::match known = replies.find(site.domain);
        if (known.found()) site.shown = known.result.value;
        sites.push_back(std::move(site));
    }
    dnsbl_threshold = number(p, "postscreen_dnsbl_threshold");
    dnsbl_allow_threshold = number(p, "postscreen_dnsbl_allowlist_threshold");
}

void settings::read_tests(const config::parameters& p) {
    greet_action = action_of(p, "postscreen_greet_action");
    dnsbl_action = action_of(p, "postscreen_dnsbl_action");
    denylist_action = action_of(p, "postscreen_denylist_action");
    struct deep_test {
        test which;
        const char *enable, *action, *ttl;
    };
    constexpr deep_test deep[] = {
        {test::pipelining, "postscreen_pipelining_enable", "postscreen_pipelining_action", "postscreen_pipelining_ttl"},
        {test::non_smtp_command, "postscreen_non_smtp_command_enable", "postscreen_non_smtp_command_action",
         "postscreen_non_smtp_command_ttl"},
        {test::bare_newline, "postscreen_bare_newline_enable", "postscreen_bare_newline_action",
         "postscreen_bare_newline_ttl"}};
    const auto at = [](test which) { return static_cast<std::size_t>(which); };
    enabled[at(test::pregreet)] = !teaser.empty();
    enabled[at(test::dnsbl)] = !sites.empty();
    lifetimes[at(test::pregreet)] = p.duration("postscreen_greet_ttl");
    min_ttl = lifetimes[at(test::pregreet)];
    for (const deep_test& each : deep) {
        enabled[at(each.which)] = p.flag(each.enable);
        actions[at(each.which)] = action_of(p, each.action);
        lifetimes[at(each.which)] = p.duration(each.ttl);
        min_ttl = std::min(min_ttl, lifetimes[at(each.which)]);
    }
}

void settings::read_limits(const config::parameters& p) {
    dnsbl_timeout = p.duration("postscreen_dnsbl_timeout");
    min_dnsbl_ttl = p.duration("postscreen_dnsbl_min_ttl");
    max_dnsbl_ttl = p.duration("postscreen_dnsbl_max_ttl");
    retention = p.duration("postscreen_cache_retention_time");
    cleanup_interval = p.duration("postscreen_cache_cleanup_interval");
    client_connection_limit = number(p, "postscreen_client_connection_count_limit");
    pre_queue_limit = number(p, "postscreen_pre_queue_limit");
    command_count_limit = number(p, "postscreen_command_count_limit");
    line_limit = static_cast<std::size_t>(p.number("line_length_limit"));
    respectful_logging = p.flag("respectful_logging");
    chose_logging = p.is_set("respectful_logging");
    helo_required = p.flag("postscreen_helo_required");
    hides_vrfy = p.flag("disable_vrfy_command");
    disable_vrfy = p.flag("postscreen_disable_vrfy_command");
    soft_bounce = p.flag("soft_bounce");
    smtputf8 = p.flag("smtputf8_enable");
    message_size_limit = p.number("message_size_limit");
    discarded_keywords = smtpd::parse_keywords(p.text("postscreen_discard_ehlo_keywords"));
}

void settings::read_tls(master::mail_system& mail, const config::parameters& p) {
    const std::string given = p.text("postscreen_tls_security_level"), level = text::lowered(given);
    const bool is_higher = level == "fingerprint" || level == "verify" || level == "secure";
    if (!level.empty() && level != "none" && level != "may" && level != "encrypt" && !is_higher)
        throw config::fatal(p.where("postscreen_tls_security_level"), fmt::format("Invalid TLS level \"{}\"", given));
    if (is_higher)
        warnings.push_back(
            {table::severity::warning,
             fmt::format("postscreen_tls_security_level: unsupported TLS level \"{}\", using \"encrypt\"", given),
             {}});
    tls_required = is_higher || level == "encrypt" || (level.empty() && p.flag("postscreen_enforce_tls"));
    tls_available = tls_required || level == "may" || (level.empty() && p.flag("postscreen_use_tls"));
    tlsproxy_log_level = static_cast<int>(text::to_number(p.text("tlsproxy_tls_loglevel")).value_or(0));
    const std::string own_level = text::lowered(p.text("tlsproxy_tls_security_level"));
    if (p.flag("tlsproxy_tls_req_ccert") && own_level == "may")
        tlsproxy_warnings.push_back("Can't require client certs unless TLS is required");
    const bool has_certificates = !p.text("tlsproxy_tls_chain_files").empty() ||
                                  !p.text("tlsproxy_tls_cert_file").empty() ||
                                  !p.text("tlsproxy_tls_eccert_file").empty();
    if (!has_certificates) tlsproxy_warnings.push_back("No server certs available. TLS can't be enabled");
    if (tls_available && has_certificates)
        tls_context = tls::server_context(mail, p, tls_required, mail.process_of("tlsproxy"));
}

}  // namespace mta::postscreen
