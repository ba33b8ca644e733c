#include "sim/lab/zone_plan.hpp"

namespace sim::lab {

dns::zone_plan zone_plan_of(const topology::topology& what) {
    dns::zone_plan plan;
    for (const topology::zone& each : what.zones)
        plan.zones.push_back({each.name, each.text.text, dns::security::insecure});
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
