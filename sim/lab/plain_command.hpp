// sim/lab/plain_command.hpp - commands that only speak and end: true, false, echo, cat, exit, alone or in a line of
// sh(1).
//
// A lab does not run the machine's commands unless it is told to, but of these everybody knows what they do, and mail
// administrators test deliveries with them: "|exit 75", "|echo 5.7.1 no; exit 69", argv=/bin/false. Their output is the
// message for a bare `cat`; /dev/null takes any of it.
#pragma once
#include <optional>

#include "mta/host.hpp"

namespace sim::lab {

// Nothing for what is no such command.
std::optional<mta::command_result> run_plain_command(const mta::command& program);

}  // namespace sim::lab
