#include "sim/lab/network_settings.hpp"

namespace sim::lab {
namespace {

mta::address::ip_network network_of(const topology::subnet& s) {
    return mta::address::ip_network(ip_of(s.base), static_cast<unsigned>(s.prefix));
}

network::quality quality_of(const topology::link_quality& given, const network::quality& otherwise) {
    network::quality result = otherwise;
    if (given.latency) result.latency = *given.latency;
    if (given.bandwidth) result.bits_per_second = *given.bandwidth;
    if (given.loss) result.loss = *given.loss;
    return result;
}

}  // namespace

mta::address::ip_address ip_of(topology::address a) {
    return mta::address::ip_address::v4(a.bits);
}

network::settings network_settings(const topology::topology& what) {
    network::settings settings;
    settings.subnet = network_of(what.network.subnet);
    settings.quality = quality_of(what.network.quality, {});
    for (const topology::link& each : what.links) {
        network::cable cable;
        cable.one = ip_of(what.find_machine(each.one)->address);
        if (each.other) cable.other = ip_of(what.find_machine(*each.other)->address);
        cable.quality = quality_of(each.quality, settings.quality);
        settings.cables.push_back(cable);
    }
    const mta::address::ip_network any(mta::address::ip_address(), 0);
    for (const topology::firewall_rule& each : what.firewall) {
        network::filter_rule rule;
        rule.from = each.from ? network_of(*each.from) : any;
        rule.to = each.to ? network_of(*each.to) : any;
        rule.port = each.port.value_or(0);
        rule.action = each.action == topology::firewall_action::accept ? network::filter_action::accept
                      : each.action == topology::firewall_action::drop ? network::filter_action::drop
                                                                       : network::filter_action::reject;
        settings.firewall.push_back(rule);
    }
    return settings;
}

}  // namespace sim::lab
