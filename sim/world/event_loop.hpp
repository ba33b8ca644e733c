// sim/world/event_loop.hpp - the virtual clock: runs what is ready, then jumps to the next timer.
//
// One loop, one thread, no globals: two worlds in one process do not see each other. Every step is folded into a
// digest, with whatever the world notes of itself (log lines, segments), so that two runs can be held against each
// other and the first step in which they differ can be named.
#pragma once
#include <cstdint>
#include <functional>
#include <string_view>
#include <utility>
#include <vector>

#include "mta/async/scheduler.hpp"
#include "mta/async/timer_heap.hpp"

namespace sim {

class event_loop final : public mta::scheduler {
  public:
    explicit event_loop(mta::time_point start) : now_(start) {}

    mta::time_point now() const override { return now_; }
    void post(mta::ready_entry& entry) override { ready_.push(entry); }
    void arm(mta::timer& entry, mta::time_point due) override { timers_.insert(entry, due < now_ ? now_ : due); }
    void disarm(mta::timer& entry) override {
        if (entry.armed()) timers_.remove(entry);
    }

    enum class stop : std::uint8_t { quiescent, reached, asked };
    // Runs until nothing is left to do, until the next timer lies beyond `limit` (the clock then shows `limit` in both
    // cases, unless that is `never`), or until someone asked for a stop.
    stop run_until(mta::time_point limit);
    void ask_to_stop() { stopping_ = true; }

    // Called once in some ten thousand steps, for whoever watches a long run. It must leave the world as it is.
    void on_heartbeat(std::function<void()> tell) { heartbeat_ = std::move(tell); }

    std::uint64_t steps() const { return steps_; }
    std::size_t timers() const { return timers_.size(); }

    // Folds a fact into the digest.
    void note(std::uint64_t fact) { digest_ = next(digest_, fact); }
    void note(std::string_view text);
    std::uint64_t digest() const { return digest_; }

    // The digest after every step that a timer began, for finding the first difference between two runs.
    struct mark {
        mta::time_point when;
        std::uint64_t digest;
        bool operator==(const mark&) const = default;
    };
    void keep_trail() { keeps_trail_ = true; }
    const std::vector<mark>& trail() const { return trail_; }

  private:
    static constexpr std::uint64_t next(std::uint64_t digest, std::uint64_t fact) {
        return (digest ^ fact) * 0x9e3779b97f4a7c15 + 0x632be59bd9b4e019;
    }
    mta::time_point now_;
    mta::ready_queue ready_;
    mta::timer_heap timers_;
    void count_step() {
        constexpr std::uint64_t mask = 0x3fff;
        if ((++steps_ & mask) == 0 && heartbeat_) heartbeat_();
    }
    std::function<void()> heartbeat_;
    std::uint64_t steps_ = 0;
    std::uint64_t digest_ = 0;
    bool stopping_ = false;
    bool keeps_trail_ = false;
    std::vector<mark> trail_;
};

}  // namespace sim
