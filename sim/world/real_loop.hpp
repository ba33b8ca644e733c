// sim/world/real_loop.hpp - the clock of the live world: real time, or real time made faster, and real sockets beside
// it.
//
// The same queues as in event_loop.hpp, armed on one timer of Boost.Asio. What sockets have to say goes before any
// timer that is due, and timers run in their order one by one: a machine that is busy for a while (or a process that
// was not given the processor) finds its bytes first and its timeouts after them, as if only the clock had been slow.
// One loop, one thread. It fails as Asio does, with boost::system::system_error, when the system has no descriptors
// left.
#pragma once
#include <cstdint>
#include <memory>

#include "mta/async/scheduler.hpp"
#include "mta/async/timer_heap.hpp"

namespace boost::asio {
class io_context;
}

namespace sim {

class real_loop final : public mta::scheduler {
  public:
    static constexpr double slowest = 0.01, fastest = 10'000;

    // Its time begins at `start`, now, and passes `speed` times as fast as the machine's steady clock (slowest to
    // fastest).
    explicit real_loop(mta::time_point start, double speed = 1);
    ~real_loop() override;

    mta::time_point now() const override;
    void post(mta::ready_entry& entry) override { ready_.push(entry); }
    void arm(mta::timer& entry, mta::time_point due) override;
    void disarm(mta::timer& entry) override {
        if (entry.armed()) timers_.remove(entry);
    }

    enum class stop : std::uint8_t { quiescent, reached, asked };
    // Runs until `limit`, until someone asks for a stop, or until nothing is left that could ever happen: no timer is
    // armed and no socket is waited for.
    stop run_until(mta::time_point limit);
    void ask_to_stop() { stopping_ = true; }
    // SIGINT and SIGTERM ask for a stop from now on; the second one ends the process as ever.
    void stop_on_signals();

    double speed() const { return speed_; }
    // For those who open sockets.
    boost::asio::io_context& sockets();

  private:
    struct native;
    bool run_what_is_ready();
    bool wait_until(mta::time_point when);

    mta::time_point start_;
    double speed_;
    mta::ready_queue ready_;
    mta::timer_heap timers_;
    bool stopping_ = false;
    std::unique_ptr<native> native_;
};

// The machine's own clock: where a live world's time begins unless told otherwise.
mta::time_point machine_time();

}  // namespace sim
