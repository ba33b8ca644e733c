// tests/support/virtual_clock.hpp - a scheduler whose time is what a test says it is.
#pragma once
#include <chrono>

#include "mta/async/scheduler.hpp"
#include "mta/async/timer_heap.hpp"

namespace tests {

class virtual_clock final : public mta::scheduler {
  public:
    // Fri Nov 20 14:00:00 2026 UTC
    static constexpr mta::time_point beginning{std::chrono::seconds(1795183200)};

    mta::time_point now() const override { return now_; }
    mta::duration passed() const { return now_ - beginning; }
    void post(mta::ready_entry& entry) override { ready_.push(entry); }
    void arm(mta::timer& entry, mta::time_point due) override { timers_.insert(entry, due < now_ ? now_ : due); }
    void disarm(mta::timer& entry) override {
        if (entry.armed()) timers_.remove(entry);
    }

    // All that is to be done up to `limit`; the clock shows `limit` then. False when nothing waits any more.
    bool run_until(mta::time_point limit) {
        for (;;) {
            while (ready_.run_one()) {
            }
            if (timers_.empty() || timers_.earliest() > limit) break;
            now_ = timers_.earliest();
            timers_.pop().expired();
        }
        if (now_ < limit && limit != mta::never) now_ = limit;
        return !timers_.empty();
    }
    bool run_for(mta::duration time) { return run_until(now_ + time); }
    // Until nothing waits for the clock, at most for `patience`; the clock shows when the last thing happened.
    void run(mta::duration patience = std::chrono::hours(24 * 10)) {
        const mta::time_point limit = now_ + patience;
        for (;;) {
            while (ready_.run_one()) {
            }
            if (timers_.empty() || timers_.earliest() > limit) return;
            now_ = timers_.earliest();
            timers_.pop().expired();
        }
    }

  private:
    mta::time_point now_ = beginning;
    mta::ready_queue ready_;
    mta::timer_heap timers_;
};

}  // namespace tests
