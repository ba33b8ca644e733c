// sim/lab/virtual_lab.hpp - a lab in virtual time: days pass in milliseconds, and the same seed gives the same run.
#pragma once
#include <memory>
#include <vector>

#include "sim/lab/lab.hpp"
#include "sim/lab/virtual_machine.hpp"
#include "sim/network/network.hpp"
#include "sim/world/event_loop.hpp"

namespace sim::lab {

class virtual_lab final : public lab {
  public:
    // Throws mta::config::fatal for a configuration that no mail system would start with.
    virtual_lab(const topology::topology& what, const options& choice);
    ~virtual_lab() override;

    mta::scheduler& scheduler() override { return loop_; }
    void cable(std::string_view machine, scenario::cable_action action) override;
    event_loop& loop() { return loop_; }
    network::fabric& net() { return net_; }

  private:
    std::unique_ptr<sim::lab::machine> make_machine(const topology::machine& what, const topology::host* host) override;
    void zones_changed() override;
    void run_world(mta::time_point limit) override { loop_.run_until(limit); }
    void stop_world() override { loop_.ask_to_stop(); }
    void noted(std::string_view line) override { loop_.note(line); }

    event_loop loop_;
    network::fabric net_;
    std::vector<virtual_machine*> machines_;
};

}  // namespace sim::lab
