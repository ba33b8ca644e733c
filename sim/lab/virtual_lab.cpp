#include "sim/lab/virtual_lab.hpp"

#include "sim/lab/network_settings.hpp"

namespace sim::lab {

virtual_lab::virtual_lab(const topology::topology& what, const options& choice)
    : lab(what, choice, virtual_epoch()), loop_(virtual_epoch()), net_(loop_, network_settings(what), choice.seed) {
    net_.attach(ip_of(what.network.subnet.dns()));
    add_machines();
}

virtual_lab::~virtual_lab() {
    close();
}

std::unique_ptr<machine> virtual_lab::make_machine(const topology::machine& what, const topology::host* host) {
    auto made =
        std::make_unique<virtual_machine>(what, host, options_.seed, topology_.network.subnet.prefix, authority_, *this,
                                          net_, names_, ip_of(topology_.network.subnet.dns()));
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

}  // namespace sim::lab
