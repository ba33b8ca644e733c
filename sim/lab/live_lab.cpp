#include "sim/lab/live_lab.hpp"

#include <fmt/format.h>

#include "sim/lab/mail_configuration.hpp"
#include "sim/lab/network_settings.hpp"
#include "sim/lab/policies.hpp"

namespace sim::lab {
namespace {

// "latency and loss"; "" when the file asks for none of them.
std::string qualities_in(const topology::link_quality& asked) {
    std::vector<std::string_view> names;
    if (asked.latency) names.push_back("latency");
    if (asked.bandwidth) names.push_back("bandwidth");
    if (asked.loss) names.push_back("loss");
    return fmt::format("{}", fmt::join(names, " and "));
}

}  // namespace

live_lab::live_lab(const topology::topology& what, const options& choice, const live_options& how)
    : live_lab(what, choice, how.speed, how.epoch.value_or(machine_time())) {}

live_lab::live_lab(const topology::topology& what, const options& choice, double speed, mta::time_point epoch)
    : lab(what, choice, epoch), loop_(epoch, speed), net_(loop_, network_settings(what)) {
    net_.attach(ip_of(what.network.subnet.dns()));
    add_machines();
    net_.choose_ports(ports_of_all());
}

live_lab::~live_lab() {
    close();
}

std::unique_ptr<machine> live_lab::make_machine(const topology::machine& what, const topology::host* host) {
    auto made = std::make_unique<live_machine>(what, host, options_.seed, topology_.network.subnet.prefix, authority_,
                                               *this, net_, names_, ip_of(topology_.network.subnet.dns()));
    machines_.push_back(made.get());
    return made;
}

void live_lab::cable(std::string_view machine, scenario::cable_action action) {
    net_.plug(address_of(machine), action == scenario::cable_action::plug);
}

// A changed zone is seen at once, as by a resolver whose cache was flushed.
void live_lab::zones_changed() {
    for (live_machine* each : machines_) each->forget_names();
}

// The ports that the topology is going to listen on, as far as its files tell.
std::vector<mta::endpoint> live_lab::ports_of_all() {
    std::vector<mta::endpoint> ports;
    for (const topology::host& each : topology_.hosts) {
        const auto configuration = mail_configuration(each, machine(each.name).interfaces(), services_);
        for (const mta::config::service& service : configuration.services->services) {
            if (service.type == mta::config::transport_type::inet) ports.push_back({ip_of(each.address), service.port});
        }
        for (const policy_at& policy : policies_of(each))
            ports.push_back({ip_of(each.address), policy.reached_at.port});
    }
    for (const topology::server& each : topology_.servers) ports.push_back({ip_of(each.address), each.port});
    return ports;
}

std::vector<std::string> live_lab::not_simulated() const {
    std::vector<std::string> all;
    const auto add = [&](const topology::position& at, const std::string& whose, const topology::link_quality& asked) {
        const std::string names = qualities_in(asked);
        if (names.empty()) return;
        all.push_back(
            fmt::format("{}: {} of {}: not simulated in a live lab, whose packets go through this machine's loopback "
                        "interface as fast as they can",
                        to_string(at), names, whose));
    };
    add(topology_.network.at, "the network", topology_.network.quality);
    for (const topology::link& each : topology_.links) {
        add(each.at, fmt::format("the link between {} and {}", each.one, each.other.value_or("everyone")),
            each.quality);
    }
    return all;
}

mta::endpoint live_lab::real(std::string_view machine, std::uint16_t port) {
    mta::endpoint there;
    there.address = address_of(machine);
    there.port = port;
    return net_.real(there.address, there);
}

}  // namespace sim::lab
