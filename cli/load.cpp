#include "cli/load.hpp"

#include <algorithm>
#include <cstdio>

#include "cli/terminal.hpp"
#include "sim/lab/check.hpp"

namespace cli {

sim::topology::load_result load_topology(const std::string& path) {
    sim::topology::load_result result = sim::topology::load(path, sim::lab::check_hooks());
    if (!result.ok()) return result;
    const auto hosts = sim::lab::check_hosts(*result.value);
    result.problems.insert(result.problems.end(), hosts.begin(), hosts.end());
    return result;
}

void print_problems(const sim::topology::load_result& result, std::size_t most) {
    const std::size_t shown = std::min(most, result.problems.size());
    for (std::size_t i = 0; i < shown; ++i) {
        std::fprintf(stderr, "%s\n", printable(sim::topology::to_string(result.problems[i])).c_str());
    }
    const std::size_t more = result.problems.size() - shown + result.left_out;
    if (more > 0) std::fprintf(stderr, "and %zu more\n", more);
}

}  // namespace cli
