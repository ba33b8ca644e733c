#include "sim/world/real_loop.hpp"

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <csignal>

namespace sim {
namespace {

using steady = std::chrono::steady_clock;

// Sockets that are never silent must not keep the timers waiting for ever.
constexpr int most_turns_before_timers = 1'000;
// One wait; the loop then looks again. Keeps the arithmetic of slow worlds far from its ends.
constexpr std::chrono::hours longest_wait{1};

}  // namespace

struct real_loop::native {
    boost::asio::io_context sockets{BOOST_ASIO_CONCURRENCY_HINT_UNSAFE};
    boost::asio::steady_timer alarm{sockets};
    std::unique_ptr<boost::asio::signal_set> signals;
    steady::time_point begin = steady::now();
    steady::time_point set_to{};  // the alarm, while it is set
    bool set = false;
};

real_loop::real_loop(mta::time_point start, double speed)
    : start_(start), speed_(std::clamp(speed, slowest, fastest)), native_(std::make_unique<native>()) {}

real_loop::~real_loop() = default;

boost::asio::io_context& real_loop::sockets() {
    return native_->sockets;
}

mta::time_point real_loop::now() const {
    const auto passed = std::chrono::duration_cast<mta::duration>(steady::now() - native_->begin);
    if (speed_ == 1) return start_ + passed;
    const auto most = static_cast<double>((mta::never - start_).count()) / 2;
    return start_ +
           mta::duration(static_cast<std::int64_t>(std::min(static_cast<double>(passed.count()) * speed_, most)));
}

void real_loop::arm(mta::timer& entry, mta::time_point due) {
    timers_.insert(entry, std::max(due, now()));
}

void real_loop::stop_on_signals() {
    native_->signals = std::make_unique<boost::asio::signal_set>(native_->sockets, SIGINT, SIGTERM);
    native_->signals->async_wait([this](const boost::system::error_code& error, int) {
        if (error) return;
        boost::system::error_code ignored;
        native_->signals->clear(ignored);
        ask_to_stop();
    });
}

real_loop::stop real_loop::run_until(mta::time_point limit) {
    stopping_ = false;
    for (;;) {
        if (!run_what_is_ready()) return stop::asked;
        const mta::time_point present = now();
        if (!timers_.empty() && timers_.earliest() <= std::min(present, limit)) {
            timers_.pop().expired();
            if (stopping_) return stop::asked;
        } else if (present >= limit) {
            return stop::reached;
        } else if (!wait_until(std::min(timers_.earliest(), limit))) {
            return stop::quiescent;
        }
    }
}

// False: someone asked for a stop.
bool real_loop::run_what_is_ready() {
    for (int turn = 0; turn < most_turns_before_timers; ++turn) {
        while (ready_.run_one()) {
            if (stopping_) return false;
        }
        native_->sockets.restart();
        const std::size_t heard = native_->sockets.poll();
        if (stopping_) return false;
        if (heard == 0 && ready_.empty()) return true;
    }
    return true;
}

// Until then, or until a socket has something to say. False: nothing can come any more.
bool real_loop::wait_until(mta::time_point when) {
    native& own = *native_;
    if (when != mta::never) {
        const auto ahead = static_cast<double>((when - start_).count()) / speed_ + 1;
        const auto latest = steady::now() + longest_wait;
        const auto longest = static_cast<double>((latest - own.begin).count());
        const auto due = own.begin + std::chrono::nanoseconds(static_cast<std::int64_t>(std::min(ahead, longest)));
        if (!own.set || own.set_to != due) {
            own.alarm.expires_at(due);
            own.set_to = due;
            own.set = true;
            own.alarm.async_wait([&own](const boost::system::error_code& error) {
                if (!error) own.set = false;
            });
        }
    }
    own.sockets.restart();
    return own.sockets.run_one() > 0;
}

mta::time_point machine_time() {
    return std::chrono::time_point_cast<mta::duration>(std::chrono::system_clock::now());
}

}  // namespace sim
