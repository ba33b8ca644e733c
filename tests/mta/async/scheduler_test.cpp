#include "mta/async/scheduler.hpp"

#include <gtest/gtest.h>

#include <deque>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "mta/async/timer_heap.hpp"
#include "tests/support/virtual_clock.hpp"

namespace mta {
namespace {

using namespace std::chrono_literals;
using tests::virtual_clock;

struct noting_entry final : ready_entry {
    std::string* notes = nullptr;
    char name = 0;
    std::function<void()> then;
    noting_entry(std::string& into, char called) : notes(&into), name(called) {}
    void run() override {
        *notes += name;
        if (then) then();
    }
};

struct noting_timer final : timer {
    std::string* notes = nullptr;
    char name = 0;
    std::function<void()> then;
    noting_timer(std::string& into, char called) : notes(&into), name(called) {}
    void expired() override {
        *notes += name;
        if (then) then();
    }
};

TEST(ready_queue, runs_first_come_first_served) {
    std::string notes;
    noting_entry a(notes, 'a'), b(notes, 'b'), c(notes, 'c');
    ready_queue queue;
    for (noting_entry* each : {&c, &a, &b}) queue.push(*each);
    while (queue.run_one()) {
    }
    EXPECT_EQ(notes, "cab");
}

TEST(ready_queue, pushing_twice_is_pushing_once) {
    std::string notes;
    noting_entry a(notes, 'a'), b(notes, 'b');
    ready_queue queue;
    for (noting_entry* each : {&a, &b, &a}) queue.push(*each);
    while (queue.run_one()) {
    }
    EXPECT_EQ(notes, "ab");
}

TEST(ready_queue, an_entry_may_push_itself_again) {
    std::string notes;
    noting_entry a(notes, 'a'), b(notes, 'b');
    ready_queue queue;
    a.then = [&] {
        if (notes.size() < 4) queue.push(a);
    };
    queue.push(a);
    queue.push(b);
    while (queue.run_one()) {
    }
    EXPECT_EQ(notes, "abaa");
}

// Whichever entry is destroyed, from outside or by another that runs, the rest keeps its order.
TEST(ready_queue, a_destroyed_entry_leaves_wherever_it_stands) {
    for (int victim = 0; victim < 5; ++victim) {
        for (int killer = -1; killer < victim; ++killer) {
            std::string notes, wanted;
            std::vector<std::unique_ptr<noting_entry>> all;
            ready_queue queue;
            for (int i = 0; i < 5; ++i) {
                all.push_back(std::make_unique<noting_entry>(notes, static_cast<char>('0' + i)));
                queue.push(*all.back());
                if (i != victim) wanted += static_cast<char>('0' + i);
            }
            const auto destroy = [&] { all[static_cast<std::size_t>(victim)].reset(); };
            if (killer < 0) {
                destroy();
            } else {
                all[static_cast<std::size_t>(killer)]->then = destroy;
            }
            while (queue.run_one()) {
            }
            EXPECT_EQ(notes, wanted) << victim << " destroyed by " << killer;
            EXPECT_TRUE(queue.empty());
        }
    }
}

TEST(ready_queue, an_entry_may_destroy_itself) {
    std::string notes;
    auto self = std::make_unique<noting_entry>(notes, 'a');
    noting_entry after(notes, 'b');
    ready_queue queue;
    self->then = [&] { self.reset(); };
    queue.push(*self);
    queue.push(after);
    while (queue.run_one()) {
    }
    EXPECT_EQ(notes, "ab");
}

TEST(ready_queue, may_go_before_its_entries) {
    std::string notes;
    noting_entry a(notes, 'a');
    {
        ready_queue queue;
        queue.push(a);
    }
    EXPECT_FALSE(a.queued());
}

TEST(timer_heap, orders_by_time_then_by_arming) {
    std::mt19937_64 random(7);
    for (int round = 0; round < 50; ++round) {
        struct numbered final : timer {
            int number = 0;
            void expired() override {}
        };
        std::deque<numbered> timers(100);
        std::vector<std::pair<time_point, int>> wanted;
        timer_heap heap;
        int sequence = 0;
        for (numbered& each : timers) {
            each.number = sequence++;
            heap.insert(each, time_point(std::chrono::seconds(random() % 10)));
        }
        // Some move, which makes them the latest armed; some leave.
        for (int i = 0; i < 60; ++i) {
            numbered& each = timers[random() % timers.size()];
            if (random() % 3 == 0) {
                if (each.armed()) heap.remove(each);
            } else {
                each.number = sequence++;
                heap.insert(each, time_point(std::chrono::seconds(random() % 10)));
            }
        }
        for (const numbered& each : timers) {
            if (each.armed()) wanted.emplace_back(each.due(), each.number);
        }
        std::sort(wanted.begin(), wanted.end());
        ASSERT_EQ(heap.size(), wanted.size());
        for (const auto& [due, number] : wanted) {
            ASSERT_EQ(heap.earliest(), due);
            numbered& next = static_cast<numbered&>(heap.pop());
            ASSERT_EQ(next.number, number);
            ASSERT_FALSE(next.armed());
        }
        EXPECT_TRUE(heap.empty());
        EXPECT_EQ(heap.earliest(), never);
    }
}

TEST(timer_heap, a_destroyed_timer_leaves_wherever_it_stands) {
    constexpr int count = 30;
    for (int victim = 0; victim < count; ++victim) {
        virtual_clock clock;
        std::string notes, wanted;
        std::vector<std::unique_ptr<noting_timer>> all;
        for (int i = 0; i < count; ++i) {
            all.push_back(std::make_unique<noting_timer>(notes, static_cast<char>('A' + i)));
            clock.arm(*all.back(), clock.now() + std::chrono::seconds(1 + i / 3));
            if (i == 0 || i != victim) wanted += static_cast<char>('A' + i);
        }
        // The first destroys the victim, which may be itself.
        all[0]->then = [&] { all[static_cast<std::size_t>(victim)].reset(); };
        clock.run();
        EXPECT_EQ(notes, wanted) << victim;
    }
}

TEST(timer_heap, may_go_before_its_timers) {
    std::string notes;
    noting_timer a(notes, 'a');
    {
        timer_heap heap;
        heap.insert(a, time_point{});
    }
    EXPECT_FALSE(a.armed());
}

TEST(timer, arming_again_moves_it) {
    virtual_clock clock;
    std::string notes;
    noting_timer a(notes, 'a'), b(notes, 'b');
    clock.arm(a, clock.now() + 1s);
    clock.arm(b, clock.now() + 2s);
    clock.arm(a, clock.now() + 3s);
    clock.run();
    EXPECT_EQ(notes, "ba");
    EXPECT_EQ(clock.passed(), 3s);
}

TEST(timer, armed_for_the_past_runs_now_and_not_before_what_is_due_already) {
    virtual_clock clock;
    std::string notes;
    noting_timer a(notes, 'a'), b(notes, 'b');
    clock.arm(a, clock.now());
    clock.arm(b, clock.now() - 5s);
    clock.run();
    EXPECT_EQ(notes, "ab");
    EXPECT_EQ(clock.passed(), 0s);
}

}  // namespace
}  // namespace mta
