// cli/load.hpp - a topology file from the command line, with everything that can be known to be wrong with it.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "sim/topology/loader.hpp"

namespace cli {

// The loader with the hooks of every room that knows better: DNS, main.cf, patterns.
sim::topology::load_result load_topology(const std::string& path);
// One line a problem, on stderr.
void print_problems(const sim::topology::load_result& result);

}  // namespace cli
