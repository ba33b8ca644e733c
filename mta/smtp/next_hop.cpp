#include "mta/smtp/next_hop.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "mta/address/host_name.hpp"
#include "mta/address/ip_address.hpp"
#include "mta/address/trivial_rewrite.hpp"
#include "mta/config/master_cf.hpp"
#include "mta/host.hpp"
#include "mta/table/dns_reply_filter.hpp"
#include "mta/text/strings.hpp"

namespace mta::smtp {
namespace {

// Names beyond ASCII as A-labels, others as they are written.
std::string as_asked(const std::string& name) {
    const bool ascii =
        std::all_of(name.begin(), name.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
    return ascii ? name : address::domain_to_ascii(name).value_or(name);
}

struct answered {
    dns::question asked;  // the last of a chain of questions: what the answer is about
    dns::response answer;
};

task<answered> ask(Host& host, dns::question first) {
    dns::lookup way(std::move(first));
    while (!way.done()) {
        dns::response answer = co_await host.resolve(way.asked());
        way.feed(std::move(answer));
    }
    answered result{way.asked(), way.result()};
    co_return result;
}

// What smtp_dns_reply_filter leaves of it. What the machine finds by itself is not filtered.
task<answered> ask_filtered(Host& host, dns::question first, const lookup_settings& settings, candidates& into) {
    answered result = co_await ask(host, std::move(first));
    if (!settings.reply_filter) co_return result;
    const table::filtered_answer said = table::filter_answer(*settings.reply_filter, result.asked.type, result.answer);
    into.remarks.insert(into.remarks.end(), said.ignored.begin(), said.ignored.end());
    into.warnings.insert(into.warnings.end(), said.warnings.begin(), said.warnings.end());
    co_return result;
}

// The status that an answer without records of its own means (smtp_addr.c's switch statements).
queue::delivery_status lookup_failure(const dns::question& asked, dns::status state) {
    queue::delivery_status status;
    status.text = dns::explain(asked, state);
    switch (state) {
        case dns::status::null_mx:
            status.dsn = "5.1.0";
            break;
        case dns::status::filtered:
            status.dsn = "4.7.0";
            break;
        case dns::status::failure:
            status.dsn = "5.4.3";
            break;
        case dns::status::nxdomain:
        case dns::status::nodata:
        case dns::status::invalid_name:
        case dns::status::loop:
            status.dsn = "5.4.4";
            break;
        default:
            status.dsn = "4.4.3";
            break;
    }
    return status;
}

bool is_soft(const candidates& found) {
    return found.failure && found.failure->dsn[0] == '4';
}

// Of several answers the one that is told of: records beat trouble, and trouble beats absence (dns_lookup(3)).
int rank_of(dns::status state) {
    switch (state) {
        case dns::status::ok:
            return 6;
        case dns::status::filtered:
            return 5;
        case dns::status::malformed:
        case dns::status::invalid_name:
        case dns::status::loop:
            return 3;
        case dns::status::failure:
            return 2;
        case dns::status::null_mx:
            return 1;
        case dns::status::nxdomain:
        case dns::status::nodata:
            return 0;
        default:
            return 4;
    }
}

// Addresses of all protocols that are spoken. Without any, what came last of the worst.
task<answered> ask_addresses(Host& host, dns::question question, const lookup_settings& settings, candidates& into,
                             bool filtered) {
    answered told;
    std::vector<dns::record> addresses;
    bool secure = true, first = true;
    for (const dns::record_type type : settings.protocols.address_types()) {
        question.type = type;
        answered found;
        if (filtered) {
            found = co_await ask_filtered(host, question, settings, into);
        } else {
            found = co_await ask(host, question);
        }
        if (found.answer.ok()) {
            for (dns::record& each : dns::records_of(found.answer, type)) addresses.push_back(std::move(each));
            secure = secure && found.answer.authenticated;
        }
        if (first || rank_of(found.answer.state) >= rank_of(told.answer.state)) told = std::move(found);
        first = false;
    }
    if (addresses.empty()) co_return told;
    told.answer.answers = std::move(addresses);
    told.answer.authenticated = secure;
    co_return told;
}

// As getaddrinfo(3) tells of it: by /etc/hosts, which names only this machine, then by the resolver.
task<void> add_natively(Host& host, candidate named, dns::question question, const lookup_settings& settings,
                        candidates& into) {
    if (text::equal_ignoring_case(named.name, "localhost")) {
        named.address = "127.0.0.1";
        into.hosts.push_back(std::move(named));
        co_return;
    }
    const answered found = co_await ask_addresses(host, std::move(question), settings, into, false);
    if (found.answer.ok()) {
        for (const dns::record& each : found.answer.answers) {
            named.address = each.address;
            into.hosts.push_back(named);
        }
        co_return;
    }
    const bool nothing = found.answer.state == dns::status::nodata;
    const bool nobody = found.answer.state == dns::status::nxdomain || found.answer.state == dns::status::invalid_name;
    const bool soft = (!nothing && !nobody) || is_soft(into);
    into.failure = queue::delivery_status(fmt::format("{}.{}", soft ? '4' : '5', nothing ? "3.0" : "4.4"),
                                          fmt::format("unable to look up host {}: {}", named.name,
                                                      nothing  ? "No address associated with hostname"
                                                      : nobody ? "Name or service not known"
                                                               : "Temporary failure in name resolution"));
}

// The addresses of one host; what went wrong stays in `failure`, for when no host has any. A soft failure makes all
// later ones soft.
task<void> add_addresses(Host& host, candidate named, const lookup_settings& settings, candidates& into) {
    const std::string& name = named.name;
    const std::string bare = name.size() > 1 && name.front() == '[' ? name.substr(1, name.size() - 2) : name;
    const auto literal = address::ip_address::parse(bare);
    if (literal && settings.protocols.speaks(*literal)) {
        named.address = literal->to_string();
        into.hosts.push_back(std::move(named));
        co_return;
    }
    dns::question question;
    question.name = as_asked(name);
    if (settings.asks_dns) {
        const answered found = co_await ask_addresses(host, question, settings, into, true);
        if (!named.from_mx) into.first_answer_is_secure = found.answer.ok() && found.answer.authenticated;
        if (found.answer.ok()) {
            for (const dns::record& each : found.answer.answers) {
                named.address = each.address;
                named.is_secure = found.answer.authenticated;
                if (!dns::same_name(each.owner, question.name)) named.canonical = each.owner;
                into.hosts.push_back(named);
            }
            co_return;
        }
        const bool soft = is_soft(into);
        into.failure = lookup_failure(found.asked, found.answer.state);
        if (soft) into.failure->dsn[0] = '4';
        if (found.answer.state == dns::status::loop) into.warnings.push_back("dns_lookup: " + into.failure->text);
        const bool absent = found.answer.state == dns::status::nxdomain || found.answer.state == dns::status::nodata;
        if (!absent) co_return;
    }
    if (settings.asks_natively) co_await add_natively(host, std::move(named), std::move(question), settings, into);
}

// An MX that is this host, and all that are no better, would make a loop.
void drop_self_and_worse(const address::trivial_rewrite& rewrite, const next_hop& to, candidates& found,
                         std::uint16_t best_named) {
    const auto self = std::find_if(found.hosts.begin(), found.hosts.end(),
                                   [&](const candidate& each) { return rewrite.is_own_address(each.address); });
    if (self == found.hosts.end()) return;
    const std::uint16_t preference = self->preference;
    const std::uint16_t best_found = found.hosts.front().preference;
    std::erase_if(found.hosts, [&](const candidate& each) { return each.preference >= preference; });
    if (!found.hosts.empty()) return;
    if (best_named != best_found) {
        found.failure = queue::delivery_status("4.4.4", fmt::format("unable to find primary relay for {}", to.domain));
    } else {
        found.failure = queue::delivery_status("5.4.6", fmt::format("mail for {} loops back to myself", to.domain));
        found.loops = true;
    }
}

task<candidates> host_addresses(Host& host, address::trivial_rewrite& rewrite, next_hop to, lookup_settings settings) {
    candidates found;
    candidate named;
    named.name = to.domain;
    co_await add_addresses(host, named, settings, found);
    const bool loops = settings.detect_loops &&
                       std::any_of(found.hosts.begin(), found.hosts.end(),
                                   [&](const candidate& each) { return rewrite.is_own_address(each.address); });
    if (loops) {
        found.hosts.clear();
        found.loops = true;
        found.failure = queue::delivery_status("5.4.6", fmt::format("mail for {} loops back to myself", to.domain));
    }
    put_in_order(found.hosts, host.random("mx-order"), settings.order);
    co_return found;
}

}  // namespace

std::optional<next_hop> parse_next_hop(std::string_view text, std::uint16_t default_port, std::string* fault) {
    const auto refuse = [&](std::string why) -> std::optional<next_hop> {
        if (fault) *fault = std::move(why);
        return std::nullopt;
    };
    const std::string about = fmt::format(" in server description: {}", text);
    next_hop result;
    result.as_written = std::string(text);
    result.port = default_port;
    std::string_view port;
    if (!text.empty() && text.front() == '[') {
        const auto close = text.find(']');
        if (close == std::string_view::npos) return refuse("missing \"]\"" + about);
        result.domain = std::string(text.substr(1, close - 1));
        result.no_mx = true;
        port = text.substr(close + 1);
        if (!port.empty() && port.front() != ':') return refuse("garbage after \"]\"" + about);
        if (!port.empty()) port.remove_prefix(1);
    } else {
        const auto colon = text.rfind(':');
        result.domain = std::string(text.substr(0, colon));
        if (colon != std::string_view::npos) port = text.substr(colon + 1);
        if (result.domain.empty()) return refuse("missing host information" + about);
    }
    if (text::starts_with_ignoring_case(result.domain, "ipv6:")) result.domain.erase(0, 5);
    if (!address::valid_utf8_hostname(true, result.domain) && !address::valid_hostaddr(result.domain))
        return refuse("valid hostname or network address required" + about);
    if (address::ip_address::parse(result.domain)) result.no_mx = true;
    if (port.empty()) return result;
    const bool digits = std::all_of(port.begin(), port.end(), text::is_digit);
    if (text::is_digit(port.front()) && !digits) return refuse("garbage after numerical service" + about);
    const auto number = config::port_of(port);
    if (!number || *number == 0 || text::to_number(port).value_or(0) > 65'535) {
        return refuse(digits ? fmt::format("bad network port: {} for destination: {}", port, text)
                             : fmt::format("unknown service: {}/tcp", port));
    }
    result.port = *number;
    return result;
}

task<candidates> find_hosts(Host& host, address::trivial_rewrite& rewrite, next_hop to, lookup_settings settings) {
    if (to.no_mx || !settings.has_dns) {
        candidates hosts = co_await host_addresses(host, rewrite, to, settings);
        co_return hosts;
    }
    dns::question question;
    question.name = as_asked(to.domain);
    question.type = dns::record_type::mx;
    candidates found;
    const answered mx = co_await ask_filtered(host, question, settings, found);
    const bool ignorable = mx.answer.state != dns::status::null_mx && settings.ignore_mx_lookup_error;
    if (mx.answer.state == dns::status::nxdomain || mx.answer.state == dns::status::nodata ||
        (!mx.answer.ok() && ignorable)) {
        candidates hosts = co_await host_addresses(host, rewrite, to, settings);
        hosts.remarks.insert(hosts.remarks.begin(), found.remarks.begin(), found.remarks.end());
        hosts.warnings.insert(hosts.warnings.begin(), found.warnings.begin(), found.warnings.end());
        co_return hosts;
    }
    found.first_answer_is_secure = mx.answer.ok() && mx.answer.authenticated;
    if (!mx.answer.ok()) {
        found.failure = lookup_failure(mx.asked, mx.answer.state);
        if (mx.answer.state == dns::status::loop) found.warnings.push_back("dns_lookup: " + found.failure->text);
        co_return found;
    }
    std::vector<candidate> named;
    for (const dns::record& each : dns::records_of(mx.answer, dns::record_type::mx))
        named.push_back({each.target, {}, each.preference, true, mx.answer.authenticated, false, {}});
    sort_by_preference(named);
    for (const candidate& each : named) {
        if (address::ip_address::parse(each.name)) {
            found.warnings.push_back(
                fmt::format("numeric domain name in resource data of MX record for {}: {}", to.domain, each.name));
        }
        co_await add_addresses(host, each, settings, found);
    }
    if (found.hosts.empty()) {
        found.warnings.push_back(fmt::format("no MX host for {} has a valid address record", to.domain));
        if (settings.defer_if_no_mx_address_found && found.failure) found.failure->dsn[0] = '4';
        co_return found;
    }
    found.failure.reset();
    if (settings.detect_loops) drop_self_and_worse(rewrite, to, found, named.front().preference);
    put_in_order(found.hosts, host.random("mx-order"), settings.order);
    co_return found;
}

}  // namespace mta::smtp
