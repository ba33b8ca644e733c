#include "sim/lab/policies.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "mta/config/word_places.hpp"
#include "mta/text/strings.hpp"
#include "sim/dns/server.hpp"
#include "sim/lab/check_daemons.hpp"
#include "sim/lab/network_settings.hpp"
#include "sim/lab/zone_plan.hpp"
#include "sim/topology/loader.hpp"

namespace sim::lab {
namespace {

namespace config = mta::config;
using mta::address::ip_address;

// Sockets in their order; below the ports that clients get.
constexpr std::uint16_t first_socket_port = 31'000, most_sockets = 1'000;

config::source_reader files() {
    return [](std::string_view file) -> std::optional<std::string> {
        topology::file_content content = topology::read_file(std::string(file), topology::largest_file);
        if (!content.error.empty()) return std::nullopt;
        return std::move(content.bytes);
    };
}

// "{ inet:host:port, timeout=10s }" is what stands first in it.
std::string endpoint_of(std::string_view word) {
    if (word.size() >= 2 && word.front() == '{' && word.back() == '}') word = word.substr(1, word.size() - 2);
    const auto fields = mta::text::split(mta::text::trimmed(word), mta::text::comma_or_space);
    return fields.empty() ? std::string() : std::string(fields.front());
}

class looker {
  public:
    looker(const topology::topology& whole, const topology::host& host) : whole_(whole), host_(host) {
        names_.load(zone_plan_of(whole));
    }

    bool served(std::string_view endpoint) const {
        constexpr std::string_view unix_prefix = "unix:", inet_prefix = "inet:";
        if (endpoint.starts_with(unix_prefix)) {
            const auto all = policies_of(host_);
            return std::any_of(all.begin(), all.end(), [&](const policy_at& each) {
                return !each.socket.empty() && each.socket == endpoint.substr(unix_prefix.size());
            });
        }
        if (endpoint.starts_with(inet_prefix)) endpoint.remove_prefix(inet_prefix.size());
        const auto colon = endpoint.rfind(':');
        const auto port = mta::text::to_number(endpoint.substr(colon == std::string_view::npos ? 0 : colon + 1));
        if (!port || *port < 1 || *port > 65535) return true;  // no endpoint: smtpd's to say
        std::string_view where = colon == std::string_view::npos ? "localhost" : endpoint.substr(0, colon);
        if (where.size() > 2 && where.front() == '[' && where.back() == ']') where = where.substr(1, where.size() - 2);
        return served_at(address_of(where.empty() ? "localhost" : where), static_cast<std::uint16_t>(*port));
    }

  private:
    std::optional<ip_address> address_of(std::string_view where) const {
        if (const auto written = ip_address::parse(where)) return written;
        if (where == "localhost") return ip_address::v4(127, 0, 0, 1);
        const auto found = names_.answer({std::string(where), mta::dns::record_type::a}).response;
        for (const mta::dns::record& each : found.answers) {
            if (!each.address.empty()) return ip_address::parse(each.address);
        }
        return std::nullopt;
    }

    bool served_at(const std::optional<ip_address>& address, std::uint16_t port) const {
        if (!address) return false;
        const auto has = [&](const topology::host& host, bool loopback) {
            const auto all = policies_of(host);
            return std::any_of(all.begin(), all.end(), [&](const policy_at& each) {
                const bool open = loopback || each.listens_at.address.is_unspecified();
                return each.socket.empty() && open && each.listens_at.port == port;
            });
        };
        if (address->is_loopback()) return has(host_, true);
        return std::any_of(whole_.hosts.begin(), whole_.hosts.end(),
                           [&](const auto& each) { return ip_of(each.address) == *address && has(each, false); }) ||
               std::any_of(whole_.servers.begin(), whole_.servers.end(), [&](const topology::server& each) {
                   return ip_of(each.address) == *address && each.policy && each.port == port;
               });
    }

    const topology::topology& whole_;
    const topology::host& host_;
    dns::server names_;
};

}  // namespace

std::vector<policy_at> policies_of(const topology::host& host) {
    std::vector<policy_at> all;
    std::uint16_t sockets = 0;
    for (const topology::policy& each : host.policies) {
        const auto place = topology::parse_policy_place(each.name);
        if (!place || (!place->path.empty() && sockets == most_sockets)) continue;
        policy_at made;
        made.rules = &each;
        made.socket = place->path;
        made.listens_at.port =
            place->path.empty() ? place->port : static_cast<std::uint16_t>(first_socket_port + sockets++);
        made.reached_at = {ip_address::v4(127, 0, 0, 1), made.listens_at.port};
        if (!place->path.empty() || place->loopback) made.listens_at.address = made.reached_at.address;
        all.push_back(std::move(made));
    }
    return all;
}

config::problems check_policies(const topology::topology& whole, const topology::host& host,
                                const config::parameters::pointer& values, const config::master_cf& services) {
    config::problems out;
    std::set<std::string> told;
    std::optional<looker> look;
    const auto check = [&](const config::parameters& of, std::string_view name) {
        const auto words = config::placed_words(of, name, files());
        for (std::size_t i = 0; i + 1 < words.size(); ++i) {
            if (!mta::text::equal_ignoring_case(words[i].text, "check_policy_service")) continue;
            const std::string endpoint = endpoint_of(words[i + 1].text);
            if (!look) look.emplace(whole, host);
            if (look->served(endpoint) || !told.insert(endpoint).second) continue;
            out.push_back({words[i + 1].where, config::severity::warning,
                           fmt::format("check_policy_service {}: nobody in this topology serves it, and the default "
                                       "action is taken; give the host \"policies:\", or a server at that address "
                                       "\"policy:\"",
                                       endpoint)});
        }
    };
    const auto check_all = [&](const config::parameters& of) {
        for (const std::string_view each : restriction_lists) {
            if (of.is_set(each)) check(of, each);
        }
        for (const std::string& each : of.words("smtpd_restriction_classes")) {
            if (of.is_set(each)) check(of, each);
        }
    };
    try {
        check_all(*values);
        for (const config::service& each : services.services) {
            if (each.command != "smtpd") continue;
            const config::parameters::pointer own = config::parameters::for_service(values, each);
            check_all(*own);
        }
    } catch (const config::fatal&) {
        // Listed with the value itself.
    }
    return out;
}

}  // namespace sim::lab
