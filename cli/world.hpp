// cli/world.hpp - the world that a run plays in: a lab, and what time is there.
//
// `relaylab run` knows no more of a world than this; make_virtual_world and its like build one.
#pragma once
#include <functional>
#include <memory>
#include <optional>
#include <span>

#include "sim/lab/lab.hpp"
#include "sim/network/observer.hpp"
#include "sim/world/event_loop.hpp"

namespace cli {

class world {
  public:
    virtual ~world() = default;

    virtual sim::lab::lab& lab() = 0;
    virtual mta::time_point now() = 0;
    // Sees all traffic from here on; null for none.
    virtual void watch_traffic(sim::network::observer* by) = 0;
    // Called now and then while play() lasts.
    virtual void on_heartbeat(std::function<void()> tell) = 0;
    // False: cut off, because time came to `until` after the beginning.
    virtual bool play(sim::scenario::player& what, std::optional<mta::duration> until) = 0;
    // For holding two runs of one seed against each other; empty in a world where no two runs are the same.
    virtual void keep_trail() {}
    virtual std::span<const sim::event_loop::mark> trail() const { return {}; }
};

// Throws mta::config::fatal for a configuration that no mail system would start with.
std::unique_ptr<world> make_virtual_world(const sim::topology::topology& what, const sim::lab::options& how);

}  // namespace cli
