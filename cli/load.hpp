// cli/load.hpp - a topology file from the command line, with everything that can be known to be wrong with it.
#pragma once
#include <string>
#include <vector>

#include "sim/topology/loader.hpp"

namespace cli {

// The loader's problems, then those of each host's configuration. There may be errors beside a value: what
// a daemon would not start with is one, and the topology runs nevertheless.
sim::topology::load_result load_topology(const std::string& path);

// One line a problem, on stderr; at most `most`, and how many more there are.
void print_problems(const sim::topology::load_result& result, std::size_t most);
inline constexpr std::size_t all_problems = static_cast<std::size_t>(-1);

}  // namespace cli
