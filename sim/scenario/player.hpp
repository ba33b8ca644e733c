// sim/scenario/player.hpp - plays a scenario on a lab: start, every step in order, and the waits between them.
//
// The waits are part of the scenario's meaning: a mail system needs half a second after a start, and a `settle` ends
// once no log has grown for a while. They are the same in both worlds.
#pragma once
#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "sim/scenario/lab.hpp"
#include "sim/scenario/verdict.hpp"
#include "sim/topology/model.hpp"

namespace sim::scenario {

struct pauses {
    std::chrono::nanoseconds after_opening = std::chrono::milliseconds(500);
    std::chrono::nanoseconds after_control = std::chrono::milliseconds(500);     // start, stop, reload
    std::chrono::nanoseconds after_background = std::chrono::milliseconds(300);  // of a dialogue's start
    std::chrono::nanoseconds after_script = std::chrono::milliseconds(300);      // that listens
    std::chrono::nanoseconds after_zone = std::chrono::seconds(1);
    settle at_the_end;
    pauses() = default;
};

struct played_dialogue {
    int number = 0;  // from 1, in the order of the steps: dialogues/01.txt
    topology::position at;
    std::string client, server;
    bool finished = false;
    std::string transcript;
};

class player {
  public:
    using progress = std::function<void(std::size_t step)>;  // before each step, and once with the number of steps

    // Both outlive the player.
    player(lab& world, const topology::topology& what);
    player(const player&) = delete;
    player& operator=(const player&) = delete;
    ~player();

    void on_progress(progress tell);
    void set_pauses(const pauses& p);

    // Scripted servers and mail systems start, all steps are played, background dialogues are waited for, the logs
    // settle, and the scenario's last expectations are judged. Destroying the task and the player stops everything.
    mta::task<void> run();

    std::span<const played_dialogue> dialogues() const;
    // Those of `expect` steps as they came, then those of the end.
    std::span<const verdict> verdicts() const;
    bool all_held() const;

  private:
    struct state;
    std::unique_ptr<state> state_;
};

// Waits until no log of `world` has grown for `rule.quiet`, counted from now at the earliest; at most `rule.limit`.
mta::task<void> settle_down(lab& world, settle rule);

}  // namespace sim::scenario
