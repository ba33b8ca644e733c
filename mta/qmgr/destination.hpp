// mta/qmgr/destination.hpp - one destination of one transport: how many deliveries may go to it at once, and whether it
// answers at all (qmgr(8), SCHEDULER_README; qmgr_queue.c).
//
// A value with no clock and no I/O. A success widens the window, a failure of the site narrows it; when a whole cohort
// of deliveries has failed, the destination is dead until minimal_backoff_time has passed.
#pragma once
#include <cstdint>
#include <optional>
#include <string_view>

#include "mta/queue/queue_file.hpp"

namespace mta::qmgr {

// "1", "1/8", "1/concurrency", "1/sqrt_concurrency": *_destination_concurrency_{positive,negative}_feedback.
struct feedback {
    enum class scale : std::uint8_t { fixed, concurrency, square_root };
    double base = 1;
    scale by = scale::fixed;
    double hysteresis = 1;  // the base's numerator: how much the window moves at once

    static std::optional<feedback> parse(std::string_view text);
    double at(int window) const;
};

struct concurrency_settings {
    int initial = 5;
    int limit = 20;             // 0: none
    double failed_cohorts = 1;  // 0: never dead
    feedback positive, negative;
};

class concurrency {
  public:
    explicit concurrency(const concurrency_settings& settings) : settings_(&settings), window_(settings.initial) {}

    int window() const { return window_; }  // 0: dead
    bool dead() const { return window_ == 0; }
    const queue::delivery_status& reason() const { return reason_; }

    void succeeded(int busy);
    // True when this failure declared the destination dead.
    bool failed(const queue::delivery_status& why);
    // Back to life with the window that is in use, or the initial one.
    void revive(int busy);

  private:
    const concurrency_settings* settings_;
    int window_;
    double success_ = 0, failure_ = 0, failed_cohorts_ = 0;
    queue::delivery_status reason_;
};

}  // namespace mta::qmgr
