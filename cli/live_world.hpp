// cli/live_world.hpp - the world of `relaylab run --live`: real sockets, real time, and whoever cares to join in.
#pragma once
#include "cli/world.hpp"

namespace cli {

struct live_choice {
    double speed = 1;    // seconds of the lab for one of the clock on the wall
    bool quiet = false;  // says nothing while it plays
    live_choice() = default;
};
inline constexpr double slowest_live = 0.01, fastest_live = 10'000;

// Tells on stderr where the machines are, what the live world leaves out, and each line of a maillog as it is written.
// SIGINT and SIGTERM end the run as --until does. Throws std::runtime_error when no ports are free.
std::unique_ptr<world> make_live_world(const sim::topology::topology& what, const sim::lab::options& how,
                                       const live_choice& live);

}  // namespace cli
