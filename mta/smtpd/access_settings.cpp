#include "mta/smtpd/access_settings.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "mta/address/trivial_rewrite.hpp"
#include "mta/cleanup/settings.hpp"
#include "mta/config/parameters.hpp"
#include "mta/master/mail_system.hpp"
#include "mta/text/strings.hpp"

namespace mta::smtpd {
namespace {

constexpr std::array<std::string_view, list_count> list_parameters = {
    "smtpd_client_restrictions", "smtpd_helo_restrictions",       "smtpd_sender_restrictions",
    "smtpd_relay_restrictions",  "smtpd_recipient_restrictions",  "smtpd_etrn_restrictions",
    "smtpd_data_restrictions",   "smtpd_end_of_data_restrictions"};

constexpr std::string_view check_policy_service = "check_policy_service", check_ccert_access = "check_ccert_access";
constexpr std::string_view accounts_table = "unix:passwd.byname";
constexpr int deepest_class = 100;
constexpr std::size_t most_processes = 256;

// smtpd must have one of these between strangers and the world.
constexpr std::array<std::string_view, 6> relay_guards = {
    "reject_unauth_destination", "defer_unauth_destination", "reject", "defer",
    "defer_if_permit",           "check_relay_domains"};

struct integer_row {
    std::string_view parameter;
    int access_settings::* value;
};
constexpr integer_row integers[] = {
    {"access_map_reject_code", &access_settings::access_map_reject_code},
    {"access_map_defer_code", &access_settings::access_map_defer_code},
    {"reject_code", &access_settings::reject_code},
    {"defer_code", &access_settings::defer_code},
    {"relay_domains_reject_code", &access_settings::relay_code},
    {"maps_rbl_reject_code", &access_settings::maps_rbl_code},
    {"invalid_hostname_reject_code", &access_settings::invalid_hostname_code},
    {"non_fqdn_reject_code", &access_settings::non_fqdn_code},
    {"unknown_hostname_reject_code", &access_settings::unknown_hostname_code},
    {"unknown_client_reject_code", &access_settings::unknown_client_code},
    {"unknown_address_reject_code", &access_settings::unknown_address_code},
    {"multi_recipient_bounce_reject_code", &access_settings::multi_recipient_code},
    {"plaintext_reject_code", &access_settings::plaintext_code},
    {"unknown_local_recipient_reject_code", &access_settings::local_code},
    {"unknown_virtual_alias_reject_code", &access_settings::alias_code},
    {"unknown_virtual_mailbox_reject_code", &access_settings::mailbox_code},
    {"unknown_relay_recipient_reject_code", &access_settings::relay_recipient_code},
};

struct flag_row {
    std::string_view parameter;
    bool access_settings::* value;
};
constexpr flag_row flags[] = {
    {"smtpd_delay_reject", &access_settings::delay_reject},
    {"smtpd_relay_before_recipient_restrictions", &access_settings::relay_before_recipient},
    {"smtpd_reject_unlisted_sender", &access_settings::reject_unlisted_sender},
    {"smtpd_reject_unlisted_recipient", &access_settings::reject_unlisted_recipient},
    {"allow_untrusted_routing", &access_settings::allow_untrusted_routing},
    {"show_user_unknown_table_name", &access_settings::show_table_name},
    {"soft_bounce", &access_settings::soft_bounce},
    {"smtputf8_enable", &access_settings::smtputf8},
    {"smtpd_sasl_auth_enable", &access_settings::sasl_enabled},
    {"owner_request_special", &access_settings::owner_request_special},
};

struct text_row {
    std::string_view parameter;
    std::string access_settings::* value;
};
constexpr text_row texts[] = {
    {"recipient_delimiter", &access_settings::recipient_delimiter},
    {"myorigin", &access_settings::myorigin},
    {"smtpd_null_access_lookup_key", &access_settings::null_key},
    {"myhostname", &access_settings::myhostname},
    {"mail_name", &access_settings::mail_name},
    {"default_rbl_reply", &access_settings::default_rbl_reply},
    {"smtpd_expansion_filter", &access_settings::expansion_filter},
    {"smtpd_reject_footer", &access_settings::reject_footer},
    {"double_bounce_sender", &access_settings::double_bounce_sender},
    {"maps_rbl_domains", &access_settings::maps_rbl_domains},
    {"smtpd_proxy_filter", &access_settings::proxy_filter},
};

// unix:passwd.byname: the accounts of the machine, which the host knows.
class accounts final : public table::table {
  public:
    explicit accounts(Host& host)
        : table("unix", "passwd.byname", mta::table::key_style::fixed, true, false), host_(host) {}

  private:
    mta::table::lookup_result find(std::string_view key) const override {
        const auto found = host_.find_account(key);
        return found ? mta::table::lookup_result::hit(found->name, {type_and_name(), 0})
                     : mta::table::lookup_result::miss();
    }
    Host& host_;
};

struct maps_row {
    std::string_view parameter;
    table::maps access_settings::* value;
};
// In the order in which smtpd opens them.
constexpr maps_row tables[] = {
    {"recipient_canonical_maps", &access_settings::recipient_canonical},
    {"canonical_maps", &access_settings::canonical},
    {"sender_canonical_maps", &access_settings::sender_canonical},
    {"virtual_alias_maps", &access_settings::virtual_aliases},
    {"virtual_mailbox_maps", &access_settings::virtual_mailboxes},
    {"relay_recipient_maps", &access_settings::relay_recipients},
    {"relay_clientcerts", &access_settings::relay_certificates},
    {"rbl_reply_maps", &access_settings::rbl_replies},
    {"smtpd_sender_login_maps", &access_settings::sender_logins},
    {"smtpd_reject_footer_maps", &access_settings::reject_footers},
    {"smtpd_dns_reply_filter", &access_settings::dns_filter},
};

// "{ a, b=c }" without its braces.
std::string_view unbraced(std::string_view word) {
    if (word.size() >= 2 && word.front() == '{' && word.back() == '}')
        return text::trimmed(word.substr(1, word.size() - 2));
    return word;
}

std::vector<std::string> owned(const std::vector<std::string_view>& words) {
    return {words.begin(), words.end()};
}

}  // namespace

std::string_view parameter_of(list_name which) {
    return list_parameters[static_cast<std::size_t>(which)];
}

access_settings::access_settings(master::mail_system& mail, const config::parameters& parameters) {
    read_parameters(parameters);
    double_bounce_address = mail.rewrite().rewrite(double_bounce_sender, true);
    open_tables(mail, parameters);
    try {
        read_lists(mail, parameters);
        check_relay_guard();
    } catch (const config::fatal& wrong) {
        fatal = wrong.what();
    }
}

process_cache& access_settings::process(int pid) {
    if (processes.size() >= most_processes && !processes.contains(pid)) processes.erase(processes.begin());
    return processes[pid];
}

void access_settings::read_parameters(const config::parameters& p) {
    for (const integer_row& each : integers) this->*each.value = static_cast<int>(p.number(each.parameter));
    for (const flag_row& each : flags) this->*each.value = p.flag(each.parameter);
    for (const text_row& each : texts) this->*each.value = p.text(each.parameter);
    expansion_filter = cleanup::unescaped(expansion_filter);
    const auto overrides = p.words("receive_override_options");
    checks_unlisted = std::find(overrides.begin(), overrides.end(), "no_unknown_recipient_checks") == overrides.end();
    const auto protocols = p.words("inet_protocols");
    const auto names = [&](std::string_view one) {
        return std::any_of(protocols.begin(), protocols.end(),
                           [&](const std::string& each) { return text::equal_ignoring_case(each, one); });
    };
    ipv4 = names("all") || names("ipv4");
    ipv6 = names("all") || names("ipv6");
    external_log_addresses = text::equal_ignoring_case(p.text("info_log_address_format"), "external");
    uses_proxy = !proxy_filter.empty();
    access_style = table::parent_style_of("smtpd_access_maps", p.text("parent_domain_matches_subdomains"));
}

void access_settings::open_tables(master::mail_system& mail, const config::parameters& p) {
    const auto environment = mail.table_environment(p);
    table::registry& registry = mail.shared().tables;
    const std::string parents = p.text("parent_domain_matches_subdomains");
    const auto style = [&](std::string_view parameter) { return table::parent_style_of(parameter, parents); };
    mynetworks = {"mynetworks", p.text("mynetworks"), registry, environment, greetings, style("mynetworks")};
    relay_domains = {"relay_domains", p.text("relay_domains"), registry, environment,
                     greetings,       style("relay_domains")};
    mydestination = {"mydestination", p.text("mydestination"), registry, environment,
                     greetings,       style("mydestination")};
    const std::string backups = p.text("permit_mx_backup_networks");
    has_mx_networks = !backups.empty();
    mx_networks = {"permit_mx_backup_networks",       backups, registry, environment, greetings,
                   style("permit_mx_backup_networks")};

    std::vector<table::table_ptr> local;
    std::vector<std::string> aliases = p.words("alias_maps");
    for (std::string& each : p.words("alias_database")) aliases.push_back(std::move(each));
    for (const std::string& each : p.words("local_recipient_maps")) {
        if (each == accounts_table || each == fmt::format("proxy:{}", accounts_table)) {
            local.push_back(std::make_shared<accounts>(mail.host()));
            continue;
        }
        // The text of an indexed table is read as the command that indexed it read it: postalias(1) or postmap(1).
        table::open_options options;
        if (std::find(aliases.begin(), aliases.end(), each) != aliases.end())
            options.syntax = table::source_syntax::aliases;
        const auto opened = table::maps::open("local_recipient_maps", each, registry, environment, options, greetings);
        local.insert(local.end(), opened.tables().begin(), opened.tables().end());
    }
    checks_local = !local.empty();
    local_recipients = {"local_recipient_maps", std::move(local)};
    for (const maps_row& each : tables) {
        this->*each.value =
            table::maps::open(each.parameter, p.text(each.parameter), registry, environment, {}, greetings);
    }
    checks_mailboxes = !virtual_mailboxes.empty();
    checks_relay = !relay_recipients.empty();
    logged_permissions = {
        "smtpd_log_access_permit_actions", p.text("smtpd_log_access_permit_actions"), registry, environment, greetings,
        table::parent_style::bare_parent};
}

void access_settings::read_lists(master::mail_system& mail, const config::parameters& p) {
    for (std::size_t i = 0; i < list_count; ++i) lists[i] = parse(mail, p, p.text(list_parameters[i]));
    for (const std::string& name : p.words("smtpd_restriction_classes")) {
        const std::string text = p.defines(name) ? p.text(name) : "";
        if (text.empty())
            throw config::fatal(p.where("smtpd_restriction_classes"),
                                fmt::format("restriction class `{}' needs a definition", name));
        classes[name] = parse(mail, p, text);
    }
    classes["reject_sender_login_mismatch"] = {"reject_authenticated_sender_login_mismatch",
                                               "reject_unauthenticated_sender_login_mismatch"};
    unknown_helo = tempfail_of(p, "unknown_helo_hostname_tempfail_action");
    unknown_address = tempfail_of(p, "unknown_address_tempfail_action");
    const auto unverified = [&](const std::string& prefix) {
        return unverified_reply{static_cast<int>(p.number(prefix + "_reject_code")),
                                static_cast<int>(p.number(prefix + "_defer_code")), p.text(prefix + "_reject_reason"),
                                tempfail_of(p, prefix + "_tempfail_action")};
    };
    unverified_recipient = unverified("unverified_recipient");
    unverified_sender = unverified("unverified_sender");
    verify_poll_count = p.number("address_verify_poll_count");
    verify_poll_delay = p.duration("address_verify_poll_delay");
}

// The words of a list; its tables are opened and its policy services noted.
std::vector<std::string> access_settings::parse(master::mail_system& mail, const config::parameters& p,
                                                std::string_view text) {
    std::vector<std::string> words = owned(text::split_quoting_braces(text, text::comma_or_space));
    std::string_view last;
    for (std::string& each : words) {
        if (text::equal_ignoring_case(last, check_policy_service)) {
            add_policy(p, each);
        } else if (each.find(':') != std::string::npos) {
            // Only the lookups of certificates know options; to all else a table in braces is no table.
            const bool braced = each.front() == '{';
            const bool searches = braced && text::equal_ignoring_case(last, check_ccert_access);
            std::string spec = each;
            if (searches) spec = add_certificate_search(each);
            if (braced && !searches) spec.clear();
            if (!spec.empty() && !access_tables.contains(each)) {
                access_tables.emplace(each, table::maps::open(spec, spec, mail.shared().tables,
                                                              mail.table_environment(p), {}, greetings));
            }
        }
        last = each;
    }
    return words;
}

// "{ type:name, { search_order = pubkey_fingerprint, cert_fingerprint } }": the table, or "" where that says something
// else.
std::string access_settings::add_certificate_search(const std::string& word) {
    const auto fields = text::split_quoting_braces(unbraced(word), text::comma_or_space);
    if (fields.empty()) return {};
    certificate_search made;
    for (std::size_t i = 1; i < fields.size(); ++i) {
        const std::string_view field = unbraced(fields[i]);
        const auto equals = field.find('=');
        if (equals == std::string_view::npos || text::trimmed(field.substr(0, equals)) != "search_order") return {};
        for (const std::string_view each : text::split(field.substr(equals + 1), text::comma_or_space)) {
            if (each != "cert_fingerprint" && each != "pubkey_fingerprint") return {};
            made.by_public_key.push_back(each == "pubkey_fingerprint");
        }
    }
    if (made.by_public_key.empty()) made.by_public_key = {false, true};
    made.table = std::string(fields.front());
    certificate_searches.insert_or_assign(word, made);
    return made.table;
}

// "inet:host:port", or "{ inet:host:port, timeout=10s, default_action=DUNNO }".
void access_settings::add_policy(const config::parameters& p, const std::string& word) {
    policy_service made;
    made.timeout = p.duration("smtpd_policy_service_timeout");
    made.retry_delay = p.duration("smtpd_policy_service_retry_delay");
    made.try_limit = p.number("smtpd_policy_service_try_limit");
    made.default_action = p.text("smtpd_policy_service_default_action");
    made.context = p.text("smtpd_policy_service_policy_context");
    const auto fields = text::split_quoting_braces(unbraced(word), text::comma_or_space);
    if (fields.empty()) throw config::fatal({}, fmt::format("empty policy service: \"{}\"", word));
    made.name = made.endpoint = std::string(fields.front());
    for (std::size_t i = 1; i < fields.size(); ++i) {
        const std::string_view field = unbraced(fields[i]);
        const auto equals = field.find('=');
        if (equals == std::string_view::npos) {
            throw config::fatal({},
                                fmt::format("malformed option: missing '=' after attribute name: \"...{}...\"", field));
        }
        const std::string name(text::trimmed(field.substr(0, equals)));
        const std::string value(text::trimmed(field.substr(equals + 1)));
        if (name == "default_action") made.default_action = value;
        if (name == "policy_context") made.context = value;
        if (name == "try_limit") made.try_limit = text::to_number(value).value_or(made.try_limit);
        const auto seconds = [&]() -> std::optional<duration> {
            const bool unit = !value.empty() && value.back() == 's';
            const auto number =
                text::to_number(unit ? std::string_view(value).substr(0, value.size() - 1) : std::string_view(value));
            return number ? std::optional<duration>(std::chrono::seconds(*number)) : std::nullopt;
        };
        if (name == "timeout") made.timeout = seconds().value_or(made.timeout);
        if (name == "retry_delay") made.retry_delay = seconds().value_or(made.retry_delay);
    }
    policies.insert_or_assign(word, made);
}

tempfail access_settings::tempfail_of(const config::parameters& p, std::string_view name) {
    const std::string text = p.text(name);
    if (text == "defer") return tempfail::defer;
    if (text == "defer_if_permit") return tempfail::defer_if_permit;
    throw config::fatal(p.where(name), fmt::format("bad configuration: {} = {}", name, text));
}

// A guard counts when it can be reached and is not only warned of.
bool access_settings::guards_relay(const std::vector<std::string>& list, int depth) const {
    if (depth > deepest_class) return false;
    for (std::size_t i = 0; i < list.size(); ++i) {
        if (list[i] == "warn_if_reject" && i + 1 < list.size()) {
            ++i;
            continue;
        }
        if (list[i] == "permit") return false;
        if (std::find(relay_guards.begin(), relay_guards.end(), list[i]) != relay_guards.end()) return true;
        const auto named = classes.find(list[i]);
        if (named != classes.end() && guards_relay(named->second, depth + 1)) return true;
    }
    return false;
}

void access_settings::check_relay_guard() {
    const auto& recipient = list(list_name::recipient);
    for (const auto* each : {&recipient, &list(list_name::relay)}) {
        for (std::size_t i = 0; i + 1 < each->size(); ++i) {
            if ((*each)[i] != "permit") continue;
            greetings.push_back({table::severity::warning,
                                 fmt::format("restriction `{}' after `permit' is ignored", (*each)[i + 1]),
                                 {}});
            break;
        }
        if (guards_relay(*each, 0)) return;
    }
    std::string wanted;
    for (std::size_t i = 0; i < relay_guards.size(); ++i) {
        wanted += i == 0 ? "" : i + 1 == relay_guards.size() ? " or " : ", ";
        wanted += relay_guards[i];
    }
    fatal = fmt::format(
        "in parameter smtpd_relay_restrictions or smtpd_recipient_restrictions, specify at least one working instance "
        "of: {}",
        wanted);
}

}  // namespace mta::smtpd
