// sim/lab/network_settings.hpp - the network that a topology asks for, as either world takes it.
#pragma once
#include "sim/network/network.hpp"
#include "sim/topology/model.hpp"

namespace sim::lab {

mta::address::ip_address ip_of(topology::address a);
network::settings network_settings(const topology::topology& what);

}  // namespace sim::lab
