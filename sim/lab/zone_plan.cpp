#include "sim/lab/zone_plan.hpp"

#include <algorithm>

namespace sim::lab {

dns::zone_plan zone_plan_of(const topology::topology& what) {
    dns::zone_plan plan;
    const auto trust_in = [&](const std::string& zone) {
        const auto& signed_ones = what.secure_zones;
        const bool is_signed = std::any_of(signed_ones.begin(), signed_ones.end(),
                                           [&](const topology::secure_zone& each) { return each.name == zone; });
        return is_signed ? dns::security::secure : dns::security::insecure;
    };
    for (const topology::zone& each : what.zones)
        plan.zones.push_back({each.name, each.text.text, trust_in(each.name)});
    if (!what.secure_zones.empty()) plan.root_trust = dns::security::secure;
    const auto add = [&](const topology::machine& m) {
        plan.machines.push_back({m.name, topology::to_string(m.address), m.ptr, m.a});
    };
    for (const auto& each : what.hosts) add(each);
    for (const auto& each : what.clients) add(each);
    for (const auto& each : what.servers) add(each);
    plan.server_address = topology::to_string(what.network.subnet.dns());
    return plan;
}

}  // namespace sim::lab
