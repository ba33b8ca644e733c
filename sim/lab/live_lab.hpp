// sim/lab/live_lab.hpp - a lab on real sockets in real time: what virtual_lab plays, any SMTP client can join here.
//
// The mail systems are the same and cannot tell. What a topology asks for and this world does not give is said in
// not_simulated(), never left out in silence; docs/how-to/live.md has the whole list.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "sim/lab/lab.hpp"
#include "sim/lab/live_machine.hpp"
#include "sim/network/real_network.hpp"
#include "sim/world/real_loop.hpp"

namespace sim::lab {

struct live_options {
    double speed = 1;                      // seconds of the lab for one of the clock on the wall
    std::optional<mta::time_point> epoch;  // when it begins; now
    live_options() = default;
};

class live_lab final : public lab {
  public:
    // Throws mta::config::fatal as virtual_lab does, and std::runtime_error when no ports are free.
    live_lab(const topology::topology& what, const options& choice, const live_options& how = {});
    ~live_lab() override;

    mta::scheduler& scheduler() override { return loop_; }
    void cable(std::string_view machine, scenario::cable_action action) override;
    real_loop& loop() { return loop_; }
    network::real_network& net() { return net_; }

    // What the topology asks for and only the virtual world has: "topology.yaml:3:1: the latency of ...".
    std::vector<std::string> not_simulated() const;
    // Where a machine's port is for other programs.
    mta::endpoint real(std::string_view machine, std::uint16_t port);

  private:
    live_lab(const topology::topology& what, const options& choice, double speed, mta::time_point epoch);
    std::unique_ptr<sim::lab::machine> make_machine(const topology::machine& what, const topology::host* host) override;
    void zones_changed() override;
    void run_world(mta::time_point limit) override { loop_.run_until(limit); }
    void stop_world() override { loop_.ask_to_stop(); }
    std::vector<mta::endpoint> ports_of_all();

    real_loop loop_;
    network::real_network net_;
    std::vector<live_machine*> machines_;
};

}  // namespace sim::lab
