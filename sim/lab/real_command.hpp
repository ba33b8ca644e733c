// sim/lab/real_command.hpp - runs a command of this machine for a simulated one: what pipe(8) and "|command" aliases
// ask for, where the user has allowed it.
//
// The caller waits: no virtual time passes. With root's rights the command runs as its user on this machine, or not at
// all when there is none; otherwise as whoever runs the lab. Its environment is PATH alone, and it can write no more
// than `longest_output` bytes; the rest is read and dropped. After `longest_run`, or the command's own limit, it is
// killed.
#pragma once
#include <chrono>
#include <cstddef>

#include "mta/host.hpp"

namespace sim::lab {

inline constexpr std::size_t longest_output = 64 * 1024;
inline constexpr std::chrono::seconds longest_run{60};

mta::command_result run_real_command(const mta::command& program);

}  // namespace sim::lab
