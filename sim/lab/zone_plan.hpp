// sim/lab/zone_plan.hpp - what a topology says about its DNS.
#pragma once
#include "sim/dns/automatic.hpp"
#include "sim/topology/model.hpp"

namespace sim::lab {

dns::zone_plan zone_plan_of(const topology::topology& what);

}  // namespace sim::lab
