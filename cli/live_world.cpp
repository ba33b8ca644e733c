#include "cli/live_world.hpp"

#include <fmt/format.h>

#include <cstdio>

#include "cli/terminal.hpp"
#include "sim/lab/live_lab.hpp"

namespace cli {
namespace {

static_assert(slowest_live == sim::real_loop::slowest && fastest_live == sim::real_loop::fastest);

sim::lab::options with_lines(sim::lab::options how, bool quiet) {
    if (!quiet)
        how.record.on_line = [](std::string_view, std::string_view line) {
            fmt::print(stderr, "{}\n", printable(line));
        };
    return how;
}

sim::lab::live_options pace(const live_choice& live) {
    sim::lab::live_options options;
    options.speed = live.speed;
    return options;
}

class live_world final : public world {
  public:
    live_world(const sim::topology::topology& what, const sim::lab::options& how, const live_choice& live)
        : what_(what), quiet_(live.quiet), lab_(what, with_lines(how, live.quiet), pace(live)) {}

    sim::lab::lab& lab() override { return lab_; }
    mta::time_point now() override { return lab_.loop().now(); }
    void watch_traffic(sim::network::observer*) override {}
    void on_heartbeat(std::function<void()>) override {}
    bool play(sim::scenario::player& what, std::optional<mta::duration> until) override {
        for (const std::string& each : lab_.not_simulated()) fmt::print(stderr, "warning: {}\n", each);
        if (!quiet_) tell_places();
        lab_.loop().stop_on_signals();
        return lab_.play(what, until);
    }

  private:
    void tell_places() {
        const auto tell = [&](const sim::topology::machine& each) {
            const mta::endpoint place = lab_.real(each.name, 25);
            fmt::print(stderr, "live: {} {} port 25 is {} port {}\n", each.name, to_string(each.address),
                       place.address.to_string(), place.port);
        };
        for (const auto& each : what_.hosts) tell(each);
        for (const auto& each : what_.servers) tell(each);
        for (const auto& each : what_.clients) {
            fmt::print(stderr, "live: {} {} is {}\n", each.name, to_string(each.address),
                       lab_.real(each.name, 25).address.to_string());
        }
        const unsigned distance = lab_.net().port_distance();
        if (distance == 0) return;
        fmt::print(stderr,
                   "live: all ports are {} higher than in the topology, where they are taken or for root alone\n",
                   distance);
    }

    const sim::topology::topology& what_;
    bool quiet_;
    sim::lab::live_lab lab_;
};

}  // namespace

std::unique_ptr<world> make_live_world(const sim::topology::topology& what, const sim::lab::options& how,
                                       const live_choice& live) {
    return std::make_unique<live_world>(what, how, live);
}

}  // namespace cli
