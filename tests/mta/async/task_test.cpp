#include "mta/async/task.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/support/fake_host.hpp"

namespace mta {
namespace {

using namespace std::chrono_literals;
using tests::virtual_clock;

void no_error(std::exception_ptr error) {
    std::rethrow_exception(error);
}

// Notes when a frame that holds it goes.
struct tracer {
    std::string* notes;
    char name;
    tracer(std::string& into, char called) : notes(&into), name(called) {}
    tracer(const tracer&) = delete;
    ~tracer() { *notes += name; }
};

task<int> seven() {
    co_return 7;
}
task<int> fails() {
    throw std::runtime_error("no");
    co_return 1;
}
task<int> sum_of(int count) {
    int sum = 0;
    for (int i = 0; i < count; ++i) {
        const int each = co_await seven();
        sum += each;
    }
    co_return sum;
}

TEST(task, hands_out_what_it_returns) {
    virtual_clock clock;
    EXPECT_EQ(tests::finish(clock, seven()), 7);
}

// Symmetric transfer: a long loop over tasks that never wait does not grow the stack.
TEST(task, a_million_awaits_need_no_stack) {
    virtual_clock clock;
    EXPECT_EQ(tests::finish(clock, sum_of(1'000'000)), 7'000'000);
}

TEST(task, an_exception_leaves_through_the_awaiting_task) {
    virtual_clock clock;
    const auto asks = [&]() -> task<std::string> {
        std::string caught;
        try {
            const int value = co_await fails();
            caught = std::to_string(value);
        } catch (const std::runtime_error& e) {
            caught = e.what();
        }
        co_return caught;
    };
    EXPECT_EQ(tests::finish(clock, asks()), "no");
}

TEST(task, one_that_never_starts_costs_nothing) {
    std::string notes;
    const auto work = [&]() -> task<void> {
        const tracer t(notes, 'x');
        co_return;
    };
    {
        task<void> unused = work();
    }
    EXPECT_EQ(notes, "");
}

TEST(nursery, takes_an_exception_at_the_top) {
    std::string caught;
    nursery all([&](std::exception_ptr error) {
        try {
            std::rethrow_exception(error);
        } catch (const std::exception& e) {
            caught = e.what();
        }
    });
    const auto work = []() -> task<void> {
        const int value = co_await fails();
        static_cast<void>(value);
    };
    all.start(work());
    EXPECT_EQ(caught, "no");
    EXPECT_TRUE(all.idle());
}

TEST(nursery, an_exception_after_a_wait_is_taken_too) {
    virtual_clock clock;
    int errors = 0;
    nursery all([&](std::exception_ptr) { ++errors; });
    const auto work = [&]() -> task<void> {
        co_await sleep_for(clock, 1s);
        const int value = co_await fails();
        static_cast<void>(value);
    };
    all.start(work());
    all.start(work());
    clock.run();
    EXPECT_EQ(errors, 2);
    EXPECT_TRUE(all.idle());
}

TEST(nursery, an_error_handler_that_throws_leaves_no_frame_behind) {
    std::string notes;
    {
        nursery all(no_error);
        const auto work = [&]() -> task<void> {
            const tracer t(notes, 'x');
            const int value = co_await fails();
            static_cast<void>(value);
        };
        EXPECT_THROW(all.start(work()), std::runtime_error);
    }
    EXPECT_EQ(notes, "x");
}

TEST(nursery, runs_tasks_side_by_side) {
    virtual_clock clock;
    std::string notes;
    nursery all(no_error);
    const auto work = [&](char name, duration step) -> task<void> {
        for (int i = 0; i < 3; ++i) {
            co_await sleep_for(clock, step);
            notes += name;
        }
    };
    all.start(work('a', 2s));
    all.start(work('b', 3s));
    clock.run();
    EXPECT_EQ(notes, "ababab") << "at 2, 3, 4, 6, where b was armed first, 6 and 9";
    EXPECT_TRUE(all.idle());
}

TEST(nursery, a_task_that_is_over_leaves_and_the_rest_stays) {
    virtual_clock clock;
    for (int order = 0; order < 6; ++order) {
        nursery all(no_error);
        std::string notes;
        const int first = order / 2, second = (first + 1 + order % 2) % 3;
        const auto work = [&](int number, int when) -> task<void> {
            co_await sleep_for(clock, std::chrono::seconds(when));
            notes += static_cast<char>('0' + number);
        };
        for (int i = 0; i < 3; ++i) all.start(work(i, i == first ? 1 : i == second ? 2 : 3));
        clock.run_for(1500ms);
        EXPECT_FALSE(all.idle());
        EXPECT_EQ(notes, std::string(1, static_cast<char>('0' + first)));
        clock.run();
        EXPECT_TRUE(all.idle());
        EXPECT_EQ(notes.size(), 3U);
    }
}

// A task in each kind of wait is destroyed: its frame goes, nothing resumes it, and the others go on.
class nursery_cancels : public testing::Test {
  protected:
    tests::fake_network net_;
    tests::fake_host mail_{net_, "mail.york.cc", "192.168.137.5"};
    tests::fake_host pc_{net_, "pc.york.cc", "192.168.137.9"};
    virtual_clock& clock_ = net_.clock;
    std::string notes_;

    void expect_cancelled(task<void> work) {
        bool alive = false;
        const auto other = [&]() -> task<void> {
            co_await sleep_for(clock_, 1h);
            alive = true;
        };
        nursery others(no_error);
        others.start(other());
        {
            nursery all(no_error);
            all.start(std::move(work));
            EXPECT_FALSE(all.idle());
            EXPECT_EQ(notes_, "");
            all.cancel_all();
            EXPECT_TRUE(all.idle());
            EXPECT_EQ(notes_, "x") << "destroyed, and not resumed";
        }
        clock_.run();
        EXPECT_EQ(notes_, "x");
        EXPECT_TRUE(alive);
    }
};

TEST_F(nursery_cancels, a_sleep) {
    const auto work = [&]() -> task<void> {
        const tracer t(notes_, 'x');
        co_await sleep_for(clock_, 1s);
        notes_ += '!';
    };
    expect_cancelled(work());
}

TEST_F(nursery_cancels, a_yield) {
    const auto work = [&]() -> task<void> {
        const tracer t(notes_, 'x');
        co_await yield(clock_);
        notes_ += '!';
    };
    expect_cancelled(work());
}

TEST_F(nursery_cancels, a_wait_for_a_signal) {
    signal happened(clock_);
    const auto work = [&]() -> task<void> {
        const tracer t(notes_, 'x');
        co_await happened.wait();
        notes_ += '!';
    };
    expect_cancelled(work());
    happened.notify_all();
    clock_.run();
    EXPECT_EQ(notes_, "x");
}

TEST_F(nursery_cancels, a_wait_with_a_deadline) {
    signal happened(clock_);
    const auto work = [&]() -> task<void> {
        const tracer t(notes_, 'x');
        const time_point deadline = clock_.now() + 1s;
        co_await happened.wait_until(deadline);
        notes_ += '!';
    };
    expect_cancelled(work());
}

TEST_F(nursery_cancels, one_that_was_notified_and_has_not_run_yet) {
    signal happened(clock_);
    const auto work = [&]() -> task<void> {
        const tracer t(notes_, 'x');
        co_await happened.wait();
        notes_ += '!';
    };
    nursery all(no_error);
    all.start(work());
    happened.notify_one();
    all.cancel_all();
    clock_.run();
    EXPECT_EQ(notes_, "x");
}

TEST_F(nursery_cancels, a_read) {
    auto [near, far] = tests::memory_stream::connected(clock_, 1);
    const auto work = [&](byte_stream& from) -> task<void> {
        const tracer t(notes_, 'x');
        char buffer[8];
        const std::span<char> whole(buffer);
        const time_point deadline = clock_.now() + 1s;
        co_await read_some(from, whole, deadline);
        notes_ += '!';
    };
    expect_cancelled(work(*near));
}

TEST_F(nursery_cancels, a_connect) {
    net_.unreachable[mail_.address()] = io_error::timed_out;
    const auto work = [&]() -> task<void> {
        const tracer t(notes_, 'x');
        endpoint remote;
        remote.address = mail_.address();
        const time_point deadline = clock_.now() + 30s;
        const connect_result result = co_await pc_.connect(remote, std::nullopt, deadline);
        notes_ += '!';
    };
    expect_cancelled(work());
}

TEST_F(nursery_cancels, a_lookup) {
    const auto work = [&]() -> task<void> {
        const tracer t(notes_, 'x');
        const dns::question question{"york.cc", dns::record_type::mx};
        const dns::response answer = co_await pc_.resolve(question);
        notes_ += '!';
    };
    expect_cancelled(work());
}

TEST_F(nursery_cancels, a_chain_of_frames_from_the_innermost_out) {
    struct chain {
        static task<void> go(virtual_clock& clock, std::string& notes, int depth) {
            const tracer t(notes, static_cast<char>('0' + depth));
            if (depth == 0) {
                co_await sleep_for(clock, 1s);
            } else {
                co_await go(clock, notes, depth - 1);
            }
            notes += '!';
        }
    };
    nursery all(no_error);
    all.start(chain::go(clock_, notes_, 4));
    all.cancel_all();
    EXPECT_EQ(notes_.size(), 5U);
    EXPECT_EQ(notes_.find('!'), std::string::npos);
}

// One task ends another's nursery from its own turn: the other is gone before it could run.
TEST_F(nursery_cancels, from_inside_of_another_tasks_turn) {
    nursery killers(no_error);
    auto victims = std::make_unique<nursery>(no_error);
    const auto victim = [&]() -> task<void> {
        const tracer t(notes_, 'x');
        co_await sleep_for(clock_, 1s);
        notes_ += '!';
    };
    const auto killer = [&]() -> task<void> {
        co_await sleep_for(clock_, 1s);
        victims.reset();
        notes_ += 'k';
    };
    killers.start(killer());
    for (int i = 0; i < 3; ++i) victims->start(victim());
    clock_.run();
    EXPECT_EQ(notes_, "xxxk");
}

TEST(signal, wakes_in_order_of_arrival_one_at_a_time) {
    virtual_clock clock;
    signal happened(clock);
    std::string notes;
    nursery all(no_error);
    const auto work = [&](char name) -> task<void> {
        co_await happened.wait();
        notes += name;
    };
    for (const char name : {'a', 'b', 'c'}) all.start(work(name));
    happened.notify_one();
    clock.run();
    EXPECT_EQ(notes, "a");
    happened.notify_all();
    clock.run();
    EXPECT_EQ(notes, "abc");
    happened.notify_all();
    clock.run();
    EXPECT_EQ(notes, "abc");
}

TEST(signal, tells_a_notice_from_a_deadline) {
    virtual_clock clock;
    signal happened(clock);
    std::string notes;
    nursery all(no_error);
    const auto work = [&](char name, duration patience) -> task<void> {
        const time_point deadline = clock.now() + patience;
        const bool notified = co_await happened.wait_until(deadline);
        notes += name;
        notes += notified ? '+' : '-';
    };
    for (const auto& [name, patience] : {std::pair('a', 5s), std::pair('b', 1s), std::pair('c', 5s)})
        all.start(work(name, patience));
    clock.run_for(2s);
    EXPECT_EQ(notes, "b-");
    happened.notify_one();
    clock.run();
    EXPECT_EQ(notes, "b-a+c-");
    EXPECT_EQ(clock.passed(), 5s);
}

TEST(signal, a_notice_at_the_very_deadline_is_not_taken_twice) {
    virtual_clock clock;
    signal happened(clock);
    int woken = 0;
    nursery all(no_error);
    const auto notifies = [&]() -> task<void> {
        co_await sleep_for(clock, 1s);
        happened.notify_all();
    };
    const auto waits = [&]() -> task<void> {
        const time_point deadline = clock.now() + 1s;
        const bool notified = co_await happened.wait_until(deadline);
        woken += notified ? 1 : 100;
    };
    all.start(notifies());
    all.start(waits());
    clock.run();
    EXPECT_EQ(woken, 1);
}

}  // namespace
}  // namespace mta
