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

task<dns::response> ask(Host& host, dns::question first) {
    dns::lookup way(std::move(first));
    while (!way.done()) {
        dns::response answer = co_await host.resolve(way.asked());
        way.feed(std::move(answer));
    }
    co_return way.result();
}

queue::delivery_status lookup_failure(const dns::question& asked, dns::status state) {
    const bool later = state == dns::status::try_again;
    queue::delivery_status status;
    status.dsn = later ? "4.4.3" : "5.4.4";
    status.text = dns::explain(asked, state);
    return status;
}

// The addresses of one host; what went wrong stays in `failure`, for when no host has any.
task<void> add_addresses(Host& host, std::string name, std::uint16_t preference, candidates& into) {
    const std::string bare = name.size() > 1 && name.front() == '[' ? name.substr(1, name.size() - 2) : name;
    if (const auto literal = address::ip_address::parse(bare)) {
        into.hosts.push_back({name, literal->to_string(), preference});
        co_return;
    }
    const dns::question question{name, dns::record_type::a};
    const dns::response answer = co_await ask(host, question);
    if (!answer.ok()) {
        into.failure = lookup_failure(question, answer.state);
        co_return;
    }
    for (const dns::record& each : dns::records_of(answer, dns::record_type::a)) {
        into.hosts.push_back({name, each.address, preference});
    }
}

// Hosts of equal preference in an order of their own (smtp_randomize_addresses), and by preference.
void put_in_order(std::vector<candidate>& hosts, random_source& random, bool randomize) {
    if (randomize) {
        for (std::size_t i = hosts.size(); i > 1; --i) std::swap(hosts[i - 1], hosts[random.below(i)]);
    }
    std::stable_sort(hosts.begin(), hosts.end(), [](const candidate& a, const candidate& b) { return a.preference < b.preference; });
}

// An MX that is this host, and all that are no better, would make a loop.
void drop_self_and_worse(const address::trivial_rewrite& rewrite, const next_hop& to, candidates& found,
                         const std::string& best_mx_transport) {
    const auto self = std::find_if(found.hosts.begin(), found.hosts.end(),
                                   [&](const candidate& each) { return rewrite.is_own_address(each.address); });
    if (self == found.hosts.end()) return;
    const std::uint16_t preference = self->preference;
    std::erase_if(found.hosts, [&](const candidate& each) { return each.preference >= preference; });
    if (!found.hosts.empty()) return;
    found.found_myself = true;
    if (best_mx_transport.empty()) {
        found.failure = queue::delivery_status("5.4.6", fmt::format("mail for {} loops back to myself", to.domain));
    }
}

}  // namespace

std::optional<next_hop> parse_next_hop(std::string_view text, std::uint16_t default_port) {
    next_hop result;
    result.as_written = std::string(text);
    result.port = default_port;
    std::string_view rest = text;
    if (text::starts_with_ignoring_case(rest, "inet:")) rest.remove_prefix(5);
    std::string_view port;
    if (!rest.empty() && rest.front() == '[') {
        const auto close = rest.find(']');
        if (close == std::string_view::npos) return std::nullopt;
        result.domain = std::string(rest.substr(1, close - 1));
        result.no_mx = true;
        rest.remove_prefix(close + 1);
        if (!rest.empty() && rest.front() == ':') port = rest.substr(1);
    } else {
        const auto colon = rest.rfind(':');
        result.domain = std::string(rest.substr(0, colon));
        if (colon != std::string_view::npos) port = rest.substr(colon + 1);
    }
    if (text::starts_with_ignoring_case(result.domain, "ipv6:")) result.domain.erase(0, 5);
    if (address::ip_address::parse(result.domain)) result.no_mx = true;
    if (!port.empty()) {
        const auto number = config::port_of(port);
        if (!number) return std::nullopt;
        result.port = *number;
    }
    return result;
}

task<candidates> find_hosts(Host& host, address::trivial_rewrite& rewrite, next_hop to, lookup_settings settings) {
    candidates found;
    random_source& random = host.random("mx-order");
    if (to.no_mx) {
        co_await add_addresses(host, to.domain, 0, found);
        put_in_order(found.hosts, random, settings.randomize);
        drop_self_and_worse(rewrite, to, found, settings.best_mx_transport);
        if (!found.hosts.empty()) found.failure.reset();
        co_return found;
    }
    const dns::question question{to.domain, dns::record_type::mx};
    const dns::response answer = co_await ask(host, question);
    if (answer.ok() && dns::has_null_mx(answer)) {
        found.failure = queue::delivery_status(
            "5.1.0", fmt::format("Domain {} does not accept mail (nullMX)", to.domain));
        co_return found;
    }
    if (answer.ok()) {
        const std::vector<dns::record> records = dns::records_of(answer, dns::record_type::mx);
        for (const dns::record& each : records) co_await add_addresses(host, each.target, each.preference, found);
        if (found.hosts.empty()) {
            found.warnings.push_back(fmt::format("no MX host for {} has a valid address record", to.domain));
            if (settings.defer_if_no_mx_address_found && found.failure) found.failure->dsn[0] = '4';
        }
    } else if (answer.not_found() || (settings.ignore_mx_lookup_error && answer.state == dns::status::try_again)) {
        co_await add_addresses(host, to.domain, 0, found);
    } else {
        found.failure = lookup_failure(question, answer.state);
        co_return found;
    }
    put_in_order(found.hosts, random, settings.randomize);
    drop_self_and_worse(rewrite, to, found, settings.best_mx_transport);
    if (!found.hosts.empty()) found.failure.reset();
    co_return found;
}

}  // namespace mta::smtp
