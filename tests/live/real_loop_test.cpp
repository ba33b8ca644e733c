#include "sim/world/real_loop.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <vector>

namespace tests {
namespace {

using namespace std::chrono_literals;

struct alarm final : mta::timer {
    std::function<void()> tell;
    void expired() override { tell(); }
};

TEST(real_loop, begins_when_it_is_told_and_goes_as_fast) {
    const mta::time_point epoch{1'000'000s};
    sim::real_loop loop(epoch, 10'000);
    const auto begin = std::chrono::steady_clock::now();
    EXPECT_EQ(loop.run_until(epoch + 100s), sim::real_loop::stop::reached);
    EXPECT_GE(loop.now(), epoch + 100s);
    EXPECT_GE(std::chrono::steady_clock::now() - begin, 9ms);
    EXPECT_LT(loop.now(), epoch + 24h);
}

TEST(real_loop, runs_timers_in_order_however_late_it_is) {
    sim::real_loop loop(sim::machine_time(), 10'000);
    std::vector<int> order;
    alarm first, second, third;
    first.tell = [&] { order.push_back(1); };
    second.tell = [&] { order.push_back(2); };
    third.tell = [&] {
        order.push_back(3);
        loop.ask_to_stop();
    };
    const auto now = loop.now();
    loop.arm(third, now + 3s);
    loop.arm(second, now + 2s);
    loop.arm(first, now + 1s);
    while (loop.now() < now + 10s) continue;  // a millisecond
    EXPECT_EQ(loop.run_until(mta::never), sim::real_loop::stop::asked);
    EXPECT_EQ(order, (std::vector{1, 2, 3}));
}

TEST(real_loop, forgets_what_was_disarmed_and_stops_when_nothing_is_left) {
    sim::real_loop loop(sim::machine_time(), 10'000);
    bool rang = false;
    alarm one, other;
    one.tell = [&] { loop.disarm(other); };
    other.tell = [&] { rang = true; };
    loop.arm(one, loop.now() + 1s);
    loop.arm(other, loop.now() + 2h);
    EXPECT_EQ(loop.run_until(mta::never), sim::real_loop::stop::quiescent);
    EXPECT_FALSE(rang);
}

TEST(real_loop, lets_all_that_is_ready_run_before_a_timer) {
    sim::real_loop loop(sim::machine_time(), 10'000);
    struct again final : mta::ready_entry {
        sim::real_loop* on = nullptr;
        int turns = 0;
        void run() override {
            if (++turns < 100) on->post(*this);
        }
    } ready;
    ready.on = &loop;
    int turns_before = 0;
    alarm due;
    due.tell = [&] {
        turns_before = ready.turns;
        loop.ask_to_stop();
    };
    loop.arm(due, loop.now());
    loop.post(ready);
    loop.run_until(mta::never);
    EXPECT_EQ(turns_before, 100);
}

}  // namespace
}  // namespace tests
