#include "mta/smtp/next_hop.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "mta/address/ip_address.hpp"
#include "mta/address/trivial_rewrite.hpp"
#include "mta/config/master_cf.hpp"
#include "mta/host.hpp"
#include "mta/text/strings.hpp"

namespace mta::smtp {
namespace {

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

// The status that an answer without records of its own means (smtp_addr.c's switch statements).
queue::delivery_status lookup_failure(const dns::question& asked, dns::status state) {
    queue::delivery_status status;
    status.text = dns::explain(asked, state);
    switch (state) {
        case dns::status::null_mx:
            status.dsn = "5.1.0";
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

// What getaddrinfo(3) says of it, which asks last where it is asked (smtp_host_lookup).
queue::delivery_status native_failure(const std::string& name, dns::status state) {
    const bool again = state != dns::status::nxdomain && state != dns::status::nodata &&
                       state != dns::status::invalid_name && state != dns::status::failure;
    const char* what = state == dns::status::nodata ? "No address associated with hostname"
                       : again                      ? "Temporary failure in name resolution"
                                                    : "Name or service not known";
    return {again ? "4.4.3" : "5.4.4", fmt::format("unable to look up host {}: {}", name, what)};
}

// The addresses of one host; what went wrong stays in `failure`, for when no host has any.
task<void> add_addresses(Host& host, candidate named, candidates& into, lookup_settings settings) {
    const std::string& name = named.name;
    const std::string bare = name.size() > 1 && name.front() == '[' ? name.substr(1, name.size() - 2) : name;
    if (const auto literal = address::ip_address::parse(bare)) {
        const bool is_spoken = literal->is_v6() ? settings.ipv6 : settings.ipv4;
        if (!is_spoken) {
            into.failure = queue::delivery_status(
                "5.4.4", fmt::format("Name service error for {}: invalid host or domain name", bare));
            co_return;
        }
        named.address = literal->to_string();
        into.hosts.push_back(std::move(named));
        co_return;
    }
    dns::question question;
    question.name = name;
    const answered found = co_await ask(host, question);
    if (!named.from_mx) into.first_answer_is_secure = found.answer.ok() && found.answer.authenticated;
    if (!found.answer.ok()) {
        into.failure = settings.native ? native_failure(name, found.answer.state)
                                       : lookup_failure(found.asked, found.answer.state);
        if (found.answer.state == dns::status::loop) into.warnings.push_back("dns_lookup: " + into.failure->text);
        co_return;
    }
    for (const dns::record& each : dns::records_of(found.answer, dns::record_type::a)) {
        named.address = each.address;
        named.is_secure = found.answer.authenticated;
        if (!dns::same_name(each.owner, name)) named.canonical = each.owner;
        into.hosts.push_back(named);
    }
}

void sort_by_preference(std::vector<candidate>& hosts) {
    // An insertion sort: few hosts, and equals keep their order.
    for (std::size_t i = 1; i < hosts.size(); ++i) {
        for (std::size_t j = i; j > 0 && hosts[j].preference < hosts[j - 1].preference; --j)
            std::swap(hosts[j], hosts[j - 1]);
    }
}

// Hosts of equal preference in an order of their own (smtp_randomize_addresses), and by preference.
void put_in_order(std::vector<candidate>& hosts, random_source& random, bool randomize) {
    if (randomize) {
        for (std::size_t i = hosts.size(); i > 1; --i) std::swap(hosts[i - 1], hosts[random.below(i)]);
    }
    sort_by_preference(hosts);
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
    co_await add_addresses(host, named, found, settings);
    const bool loops = settings.detect_loops &&
                       std::any_of(found.hosts.begin(), found.hosts.end(),
                                   [&](const candidate& each) { return rewrite.is_own_address(each.address); });
    if (loops) {
        found.hosts.clear();
        found.loops = true;
        found.failure = queue::delivery_status("5.4.6", fmt::format("mail for {} loops back to myself", to.domain));
    }
    put_in_order(found.hosts, host.random("mx-order"), settings.randomize);
    co_return found;
}

}  // namespace

next_hop parse_next_hop(std::string_view text, std::uint16_t default_port) {
    next_hop result;
    result.as_written = std::string(text);
    result.port = default_port;
    std::string_view port;
    const auto wrong = [&](std::string_view what) {
        result.problem = fmt::format("{} in server description: {}", what, text);
        return result;
    };
    if (!text.empty() && text.front() == '[') {
        const auto close = text.find(']');
        if (close == std::string_view::npos) return wrong("missing \"]\"");
        result.domain = std::string(text.substr(1, close - 1));
        result.no_mx = true;
        const std::string_view rest = text.substr(close + 1);
        if (!rest.empty() && rest.front() != ':') return wrong("garbage after \"]\"");
        if (!rest.empty()) port = rest.substr(1);
    } else {
        const auto colon = text.rfind(':');
        result.domain = std::string(text.substr(0, colon));
        if (colon != std::string_view::npos) port = text.substr(colon + 1);
        if (result.domain.empty()) return wrong("missing host information");
    }
    if (text::starts_with_ignoring_case(result.domain, "ipv6:")) result.domain.erase(0, 5);
    const bool is_address = address::ip_address::parse(result.domain).has_value();
    if (!is_address && !dns::is_valid_hostname(result.domain))
        return wrong("valid hostname or network address required");
    if (is_address) result.no_mx = true;
    if (port.empty()) return result;
    const auto digits = text::to_number(port);
    if (digits && (*digits == 0 || *digits > 65'535)) {
        result.problem = fmt::format("bad network port: {} for destination: {}", port, text);
    } else if (const auto number = config::port_of(port)) {
        result.port = *number;
    } else {
        result.problem = fmt::format("unknown service: {}/tcp", port);
    }
    return result;
}

task<candidates> find_hosts(Host& host, address::trivial_rewrite& rewrite, next_hop to, lookup_settings settings) {
    if (to.no_mx) {
        candidates hosts = co_await host_addresses(host, rewrite, to, settings);
        co_return hosts;
    }
    dns::question question;
    question.name = to.domain;
    question.type = dns::record_type::mx;
    const answered mx = co_await ask(host, question);
    const bool ignorable = mx.answer.state != dns::status::null_mx && settings.ignore_mx_lookup_error;
    if (mx.answer.state == dns::status::nxdomain || mx.answer.state == dns::status::nodata ||
        (!mx.answer.ok() && ignorable)) {
        candidates hosts = co_await host_addresses(host, rewrite, to, settings);
        co_return hosts;
    }
    candidates found;
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
        co_await add_addresses(host, each, found, settings);
    }
    if (found.hosts.empty()) {
        found.warnings.push_back(fmt::format("no MX host for {} has a valid address record", to.domain));
        if (settings.defer_if_no_mx_address_found && found.failure) found.failure->dsn[0] = '4';
        co_return found;
    }
    found.failure.reset();
    if (settings.detect_loops) drop_self_and_worse(rewrite, to, found, named.front().preference);
    put_in_order(found.hosts, host.random("mx-order"), settings.randomize);
    co_return found;
}

}  // namespace mta::smtp
