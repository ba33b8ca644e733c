#include "mta/address/trivial_rewrite.hpp"

#include <algorithm>

#include "mta/address/ip_address.hpp"
#include "mta/config/inet_protocols.hpp"
#include "mta/config/parameters.hpp"
#include "mta/host.hpp"
#include "mta/table/maps.hpp"
#include "mta/table/registry.hpp"
#include "mta/text/strings.hpp"

namespace mta::address {
namespace {

constexpr std::size_t cache_limit =
    20'000;  // the recipients that a queue manager has in memory (qmgr_message_recipient_limit)

lookup_status status_of(const table::list_match& match) {
    return match.matched() ? lookup_status::found : match.failed() ? lookup_status::failed : lookup_status::absent;
}

lookup_result result_of(const table::match& match) {
    return {match.found()    ? lookup_status::found
            : match.failed() ? lookup_status::failed
                             : lookup_status::absent,
            match.result.value};
}

// The machine's addresses of the protocols that are spoken; where IPv6 is, each machine has its loopback address.
std::vector<std::string> addresses_of(Host& host, const config::inet_protocols& protocols) {
    std::vector<std::string> all;
    for (const std::string& each : host.interfaces()) {
        std::string address = each.substr(0, each.find('/'));
        const auto parsed = ip_address::parse(address);
        if (parsed && protocols.speaks(*parsed)) all.push_back(std::move(address));
    }
    constexpr std::string_view loopback6 = "::1";
    if (protocols.ipv6 && std::find(all.begin(), all.end(), loopback6) == all.end()) all.emplace_back(loopback6);
    return all;
}

// The addresses that inet_interfaces names: "all", or names and addresses, of which the machine's own count.
std::vector<std::string> own_addresses(const config::parameters& parameters, Host& host) {
    const auto protocols = config::inet_protocols::parse(parameters.text("inet_protocols"));
    const std::vector<std::string> all = addresses_of(host, protocols);
    std::vector<std::string> chosen;
    for (const std::string& word : parameters.words("inet_interfaces")) {
        if (word == "all") return all;
        if (word == "loopback-only") {
            for (const auto& each : all) {
                const auto parsed = ip_address::parse(each);
                if (parsed && parsed->is_loopback()) chosen.push_back(each);
            }
        } else {
            std::string address = word == "localhost" ? "127.0.0.1" : word;
            if (address.size() > 1 && address.front() == '[') address = address.substr(1, address.size() - 2);
            chosen.push_back(address == parameters.text("myhostname") && !all.empty() ? all.front() : address);
        }
    }
    return chosen;
}

}  // namespace

struct trivial_rewrite::lists {
    // Only relay_domains knows parent domains; the others are lists of exact names.
    table::string_list mydestination, virtual_alias_domains, virtual_mailbox_domains;
    table::domain_list relay_domains;
    // Where mail goes, and where probes go.
    struct routes {
        table::maps transport, sender_relayhost, sender_transport;
    };
    routes of_mail, of_probes;
    table::maps relocated;
    std::vector<std::string> own_addresses;
    table::parent_style transport_parents;
};

trivial_rewrite::~trivial_rewrite() = default;

trivial_rewrite::trivial_rewrite(const config::parameters& parameters, Host& host, table::registry& registry,
                                 const table::environment& environment, std::vector<table::diagnostic>& complaints)
    : lists_(std::make_unique<lists>()),
      recipient_delimiter_(parameters.text("recipient_delimiter")),
      owner_request_special_(parameters.flag("owner_request_special")),
      double_bounce_sender_(parameters.text("double_bounce_sender")) {
    const std::string parents = parameters.text("parent_domain_matches_subdomains");
    const auto list = [&](const char* name) {
        return table::domain_list(name, parameters.text(name), registry, environment, complaints,
                                  table::parent_style_of(name, parents));
    };
    table::open_options options;
    options.utf8 = parameters.flag("smtputf8_enable");
    const auto exact = [&](const char* name) {
        return table::string_list(name, parameters.text(name), registry, environment, complaints,
                                  table::parent_style::dot_parent);
    };
    // A table that several parameters name is opened, and complains, once.
    const auto maps = [&](const char* name, bool substitution) {
        options.allow_substitution = substitution;
        std::vector<table::diagnostic> said;
        auto opened = table::maps::open(name, parameters.text(name), registry, environment, options, said);
        for (table::diagnostic& each : said) {
            const auto is_same = [&](const table::diagnostic& before) { return before.text == each.text; };
            if (std::none_of(complaints.begin(), complaints.end(), is_same)) complaints.push_back(std::move(each));
        }
        return opened;
    };
    lists& l = *lists_;
    l.mydestination = exact("mydestination");
    l.virtual_alias_domains = exact("virtual_alias_domains");
    l.virtual_mailbox_domains = exact("virtual_mailbox_domains");
    l.relay_domains = list("relay_domains");
    l.of_mail.transport = maps("transport_maps", false);
    l.of_mail.sender_relayhost = maps("sender_dependent_relayhost_maps", false);
    l.of_mail.sender_transport = maps("sender_dependent_default_transport_maps", false);
    l.of_probes.transport = maps("address_verify_transport_maps", false);
    l.of_probes.sender_relayhost = maps("address_verify_sender_dependent_relayhost_maps", false);
    l.of_probes.sender_transport = maps("address_verify_sender_dependent_default_transport_maps", false);
    l.relocated = maps("relocated_maps", true);
    l.transport_parents = table::parent_style_of("transport_maps", parents);
    l.own_addresses = own_addresses(parameters, host);
    for (const std::string& each : parameters.words("proxy_interfaces")) l.own_addresses.push_back(each);

    address_rules_.recipient_delimiter = {recipient_delimiter_, owner_request_special_};
    context_.local = {parameters.text("myorigin"), parameters.text("mydomain")};
    address_rules_.is_local = [this](std::string_view domain) {
        return text::equal_ignoring_case(domain, context_.local.origin) ||
               is_local_domain(domain) == lookup_status::found;
    };
    remote_domain_ = parameters.text("remote_header_rewrite_domain");

    resolve_context& c = context_;
    c.myhostname = parameters.text("myhostname");
    c.empty_address_recipient = parameters.text("empty_address_recipient");
    c.empty_address_relayhost_maps_lookup_key = parameters.text("empty_address_relayhost_maps_lookup_key");
    c.empty_address_default_transport_maps_lookup_key =
        parameters.text("empty_address_default_transport_maps_lookup_key");
    c.resolve_dequoted_address = parameters.flag("resolve_dequoted_address");
    c.resolve_null_domain = parameters.flag("resolve_null_domain");
    c.resolve_numeric_domain = parameters.flag("resolve_numeric_domain");
    c.allow_min_user = parameters.flag("allow_min_user");
    c.show_user_unknown_table_name = parameters.flag("show_user_unknown_table_name");
    c.helpful_warnings = parameters.flag("helpful_warnings");
    c.smtputf8_enable = parameters.flag("smtputf8_enable");
    c.rules.append_at_myorigin = parameters.flag("append_at_myorigin");
    c.rules.append_dot_mydomain = parameters.flag("append_dot_mydomain");
    c.rules.swap_bangpath = parameters.flag("swap_bangpath");
    c.rules.allow_percent_hack = parameters.flag("allow_percent_hack");
    c.local_domains = [this](std::string_view domain) { return is_local_domain(domain, &heard_); };
    const auto classify = [this](const auto& which) -> domain_list {
        if (which.patterns().empty()) return {};
        return [this, &which](std::string_view domain) { return status_of(heard(which.match(domain))); };
    };
    c.virtual_alias_domains = classify(l.virtual_alias_domains);
    c.virtual_mailbox_domains = classify(l.virtual_mailbox_domains);
    c.relay_domains = classify(l.relay_domains);
    const auto by_address = [this](const table::maps& which) -> address_map {
        if (which.empty()) return {};
        return [this, &which](std::string_view address) {
            return result_of(heard(table::find_address(which, address, address_rules_)));
        };
    };
    c.relocated_maps = by_address(l.relocated);
    const auto route_by = [&](resolve_context& to, const lists::routes& from, const std::string& prefix) {
        to.local_transport = parameters.text(prefix + "local_transport");
        to.virtual_transport = parameters.text(prefix + "virtual_transport");
        to.relay_transport = parameters.text(prefix + "relay_transport");
        to.default_transport = parameters.text(prefix + "default_transport");
        to.relayhost = parameters.text(prefix + "relayhost");
        to.sender_dependent_relayhost_maps_name = prefix + "sender_dependent_relayhost_maps";
        to.sender_dependent_relayhost_maps = by_address(from.sender_relayhost);
        to.sender_dependent_default_transport_maps = by_address(from.sender_transport);
        to.transport_maps = {};
        to.transport_wildcard = {};
        sender_matters_ = sender_matters_ || !from.sender_relayhost.empty() || !from.sender_transport.empty();
        for (const table::maps* each : {&from.transport, &from.sender_relayhost, &from.sender_transport}) {
            for (const auto& opened : each->tables()) cacheable_ = cacheable_ && opened->type() != "randmap";
        }
        if (from.transport.empty()) return;
        to.transport_maps = [this, &from](std::string_view address) {
            return result_of(heard(table::find_transport(from.transport, address, address_rules_.recipient_delimiter,
                                                         lists_->transport_parents)));
        };
        to.transport_wildcard = [this, &from]() {
            return result_of(heard(from.transport.find("*", table::reach::fixed_only)));
        };
    };
    for (const auto& opened : l.relocated.tables()) cacheable_ = cacheable_ && opened->type() != "randmap";
    probe_context_ = c;
    route_by(context_, l.of_mail, "");
    route_by(probe_context_, l.of_probes, "address_verify_");
}

bool trivial_rewrite::is_own_address(std::string_view ip) const {
    return std::find(lists_->own_addresses.begin(), lists_->own_addresses.end(), ip) != lists_->own_addresses.end();
}

lookup_status trivial_rewrite::is_local_domain(std::string_view domain, std::vector<std::string>* said) const {
    while (domain.size() > 1 && domain.back() == '.') domain.remove_suffix(1);
    const table::list_match match = lists_->mydestination.match(domain);
    if (said) said->insert(said->end(), match.warnings.begin(), match.warnings.end());
    const lookup_status listed = status_of(match);
    if (listed != lookup_status::absent) return listed;
    const auto literal = ip_address::parse_literal(domain);
    return literal && is_own_address(literal->to_string()) ? lookup_status::found : lookup_status::absent;
}

// Two questions that cannot have two answers are one.
trivial_rewrite::question trivial_rewrite::asked_about(std::string_view sender, std::string_view recipient) const {
    return {sender_matters_ ? sender : std::string_view(), recipient};
}

const trivial_rewrite::answer* trivial_rewrite::known(const cache& answers, const question& asked) const {
    const auto found = cacheable_ ? answers.find(asked) : answers.end();
    return found != answers.end() ? &found->second : nullptr;
}

const trivial_rewrite::answer& trivial_rewrite::keep(cache& answers, const question& asked, resolved made) const {
    if (!cacheable_ || answers.size() >= cache_limit) answers.clear();
    return answers.emplace(asked, std::make_shared<const resolved>(std::move(made))).first->second;
}

table::list_match trivial_rewrite::heard(table::list_match match) {
    heard_.insert(heard_.end(), match.warnings.begin(), match.warnings.end());
    return match;
}

table::match trivial_rewrite::heard(table::match match) {
    const auto& warnings = match.result.warnings;
    heard_.insert(heard_.end(), warnings.begin(), warnings.end());
    return match;
}

// What tables say comes before what is made of it.
resolved trivial_rewrite::find_out(std::string_view sender, std::string_view recipient,
                                   const resolve_context& context) {
    heard_.clear();
    resolved answer = resolve_address(sender, recipient, context);
    answer.warnings.insert(answer.warnings.begin(), heard_.begin(), heard_.end());
    return answer;
}

const resolved& trivial_rewrite::resolve(std::string_view sender, std::string_view recipient) {
    const question asked = asked_about(sender, recipient);
    if (const answer* found = known(resolved_, asked)) return **found;
    return *keep(resolved_, asked, find_out(sender, recipient, context_));
}

std::shared_ptr<const resolved> trivial_rewrite::resolve_folded(std::string_view sender, std::string_view recipient) {
    const question asked = asked_about(sender, recipient);
    if (const answer* found = known(folded_, asked)) return *found;
    resolved made = find_out(sender, rewrite(recipient, true), context_);
    made.recipient = text::lowered(made.recipient);
    return keep(folded_, asked, std::move(made));
}

const trivial_rewrite::answer& trivial_rewrite::routed(const question& asked) {
    if (const answer* found = known(routed_, asked)) return *found;
    const answer* smtpd_asked = known(resolved_, asked);
    resolved made = smtpd_asked ? **smtpd_asked : find_out(asked.first, asked.second, context_);
    return keep(routed_, asked, as_queue_manager_sees(std::move(made)));
}

const resolved& trivial_rewrite::route(std::string_view sender, std::string_view recipient) {
    return *routed(asked_about(sender, recipient));
}

std::shared_ptr<const resolved> trivial_rewrite::lasting_route(std::string_view sender, std::string_view recipient) {
    return cacheable_ ? routed(asked_about(sender, recipient)) : nullptr;
}

const resolved& trivial_rewrite::route_probe(std::string_view sender, std::string_view recipient) {
    const question asked = asked_about(sender, recipient);
    if (const answer* found = known(probes_, asked)) return **found;
    return *keep(probes_, asked, as_queue_manager_sees(find_out(sender, recipient, probe_context_)));
}

std::string trivial_rewrite::rewrite(std::string_view address, bool local) const {
    if (local) return rewrite_internal(address, context_.local, context_.rules);
    return rewrite_internal(address, rewrite_context{remote_domain_, remote_domain_}, context_.rules);
}

extension_rules trivial_rewrite::extensions() const {
    extension_rules rules;
    rules.delimiters = recipient_delimiter_;
    rules.owner_request_special = owner_request_special_;
    rules.double_bounce_sender = double_bounce_sender_;
    return rules;
}

}  // namespace mta::address
