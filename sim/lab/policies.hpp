// sim/lab/policies.hpp - where policy servers listen, and which of those that smtpd is told to ask nobody serves
// (SMTPD_POLICY_README).
//
// A UNIX-domain socket is stood in for by a port of the host's loopback address: the network has no other connections.
#pragma once
#include <string>
#include <vector>

#include "mta/config/master_cf.hpp"
#include "mta/config/parameters.hpp"
#include "mta/config/problem.hpp"
#include "mta/host.hpp"
#include "sim/topology/model.hpp"

namespace sim::lab {

struct policy_at {
    const topology::policy* rules = nullptr;
    std::string socket;  // of `unix:`, else ""
    mta::endpoint listens_at, reached_at;
};
// Of one host, in the file's order; they point into it.
std::vector<policy_at> policies_of(const topology::host& host);

// The endpoints after check_policy_service that no machine of the topology serves, each at its line: of main.cf, and of
// the -o overrides of services.
mta::config::problems check_policies(const topology::topology& whole, const topology::host& host,
                                     const mta::config::parameters::pointer& values,
                                     const mta::config::master_cf& services);

}  // namespace sim::lab
