#include "mta/master/process_pool.hpp"

#include <gtest/gtest.h>

#include "tests/support/fake_host.hpp"

namespace mta::master {
namespace {

using namespace std::chrono_literals;

class a_pool : public testing::Test {
  protected:
    process_pool::limits bounds(std::size_t processes, int max_use = 100) {
        process_pool::limits result;
        result.processes = processes;
        result.max_use = max_use;
        result.max_idle = 100s;
        return result;
    }
    tests::virtual_clock clock_;
    tests::seeded_random gaps_;
    process_ids ids_{gaps_};
};

TEST_F(a_pool, ids_ascend_and_come_round) {
    int last = ids_.next();
    int wraps = 0;
    for (int i = 0; i < 100'000; ++i) {
        const int next = ids_.next();
        EXPECT_TRUE(next > last || next == 300) << last << " " << next;
        wraps += next < last ? 1 : 0;
        EXPECT_LT(next, 32'768);
        last = next;
    }
    EXPECT_GE(wraps, 4);
}

TEST_F(a_pool, an_idle_process_is_used_again) {
    process_pool pool("postfix/smtpd", bounds(10), ids_);
    int first = 0;
    {
        const auto lease = pool.take(clock_);
        first = lease.process().pid;
        EXPECT_EQ(lease.process().tag, "postfix/smtpd");
        const auto other = pool.take(clock_);
        EXPECT_NE(other.process().pid, first);
    }
    clock_.run_for(99s);
    EXPECT_EQ(pool.take(clock_).process().pid, first);
}

TEST_F(a_pool, one_that_is_idle_for_max_idle_is_gone) {
    process_pool pool("postfix/smtpd", bounds(10), ids_);
    const int first = pool.take(clock_).process().pid;
    clock_.run_for(100s);
    EXPECT_NE(pool.take(clock_).process().pid, first);
}

TEST_F(a_pool, one_that_was_used_max_use_times_is_gone) {
    process_pool pool("postfix/smtpd", bounds(10, 3), ids_);
    const int first = pool.take(clock_).process().pid;
    for (int i = 0; i < 2; ++i) EXPECT_EQ(pool.take(clock_).process().pid, first);
    EXPECT_NE(pool.take(clock_).process().pid, first);
}

TEST_F(a_pool, has_no_more_processes_than_its_limit) {
    process_pool pool("postfix/smtpd", bounds(2), ids_);
    auto one = pool.take(clock_);
    {
        const auto two = pool.take(clock_);
        EXPECT_TRUE(pool.exhausted());
        EXPECT_FALSE(pool.take(clock_));
    }
    EXPECT_TRUE(pool.take(clock_));
    process_pool unlimited("postfix/smtpd", bounds(0), ids_);
    std::vector<process_pool::lease> all;
    for (int i = 0; i < 1000; ++i) all.push_back(unlimited.take(clock_));
    EXPECT_FALSE(unlimited.exhausted());
}

TEST_F(a_pool, who_waits_is_served_in_order) {
    process_pool pool("postfix/smtpd", bounds(1), ids_);
    std::string notes;
    nursery tasks([](std::exception_ptr error) { std::rethrow_exception(error); });
    const auto work = [&](char name) -> task<void> {
        const process_pool::lease mine = co_await pool.wait_for_one(clock_);
        notes += name;
        co_await sleep_for(clock_, 1s);
    };
    for (const char name : {'a', 'b', 'c'}) tasks.start(work(name));
    EXPECT_EQ(notes, "a");
    clock_.run_for(1s);
    EXPECT_EQ(notes, "ab");
    clock_.run();
    EXPECT_EQ(notes, "abc");
    EXPECT_EQ(clock_.passed(), 3s);
}

// All of them end at once, whoever holds or waits.
TEST_F(a_pool, tasks_that_hold_and_wait_may_be_cancelled) {
    process_pool pool("postfix/smtpd", bounds(2), ids_);
    {
        nursery tasks([](std::exception_ptr error) { std::rethrow_exception(error); });
        const auto work = [&]() -> task<void> {
            const process_pool::lease mine = co_await pool.wait_for_one(clock_);
            co_await sleep_for(clock_, 1s);
        };
        for (int i = 0; i < 6; ++i) tasks.start(work());
        EXPECT_TRUE(pool.exhausted());
    }
    clock_.run();
    EXPECT_FALSE(pool.exhausted());
    EXPECT_TRUE(pool.take(clock_));
}

TEST_F(a_pool, a_lease_moves_and_gives_back_once) {
    process_pool pool("postfix/smtpd", bounds(2), ids_);
    auto one = pool.take(clock_);
    auto two = pool.take(clock_);
    one = std::move(two);
    EXPECT_FALSE(pool.exhausted());
    EXPECT_TRUE(one);
    auto three = std::move(one);
    EXPECT_TRUE(three);
    three = process_pool::lease();
    const auto again = pool.take(clock_);
    const auto more = pool.take(clock_);
    EXPECT_TRUE(again && more);
    EXPECT_TRUE(pool.exhausted());
}

}  // namespace
}  // namespace mta::master
