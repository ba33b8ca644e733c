#include "sim/lab/virtual_lab.hpp"

namespace sim::lab {
namespace {

mta::address::ip_address ip_of(topology::address a) { return mta::address::ip_address::v4(a.bits); }

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

}  // namespace

virtual_lab::virtual_lab(const topology::topology& what, const options& choice)
    : lab(what, choice, virtual_epoch()), loop_(virtual_epoch()), net_(loop_, network_settings(what), choice.seed) {
    net_.attach(ip_of(what.network.subnet.dns()));
    add_machines();
}

virtual_lab::~virtual_lab() { close(); }

std::unique_ptr<machine> virtual_lab::make_machine(const topology::machine& what, const topology::host* host) {
    auto made = std::make_unique<virtual_machine>(what, host, options_.seed, topology_.network.subnet.prefix, authority_, *this, net_,
                                                  names_, ip_of(topology_.network.subnet.dns()));
    machines_.push_back(made.get());
    return made;
}

void virtual_lab::cable(std::string_view machine, scenario::cable_action action) {
    net_.plug(address_of(machine), action == scenario::cable_action::plug);
}

// A changed zone is seen at once, as by a resolver whose cache was flushed.
void virtual_lab::zones_changed() {
    for (virtual_machine* each : machines_) each->forget_names();
}

bool virtual_lab::play(scenario::player& what, std::optional<mta::duration> until) {
    bool over = false;
    std::exception_ptr failure;
    mta::nursery tasks([&](std::exception_ptr error) {
        failure = error;
        loop_.ask_to_stop();
    });
    const auto play_all = [&]() -> mta::task<void> {
        co_await what.run();
        over = true;
        loop_.ask_to_stop();
    };
    tasks.start(play_all());
    if (!over && !failure) loop_.run_until(until ? loop_.now() + *until : mta::never);
    if (failure) std::rethrow_exception(failure);
    return over;
}

}  // namespace sim::lab
