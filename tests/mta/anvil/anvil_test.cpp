#include "mta/anvil/anvil.hpp"

#include <gtest/gtest.h>

namespace mta::anvil {
namespace {

class still_clock final : public scheduler {
  public:
    time_point now() const override { return now_; }
    void post(ready_entry&) override {}
    void arm(timer&, time_point) override {}
    void disarm(timer&) override {}
    time_point now_{std::chrono::hours(1)};
};

TEST(anvil, counts_what_is_open_and_what_came_within_the_time_unit) {
    still_clock clock;
    counters seen(clock, std::chrono::seconds(60));
    EXPECT_EQ(seen.connect("smtp", "192.0.2.1").open, 1);
    const auto second = seen.connect("smtp", "192.0.2.1");
    EXPECT_EQ(second.open, 2);
    EXPECT_EQ(second.rate, 2);
    seen.disconnect("smtp", "192.0.2.1");
    const auto third = seen.connect("smtp", "192.0.2.1");
    EXPECT_EQ(third.open, 2);
    EXPECT_EQ(third.rate, 3);
    EXPECT_EQ(seen.connect("submission", "192.0.2.1").rate, 1);
    EXPECT_EQ(seen.connect("smtp", "192.0.2.2").open, 1);
}

TEST(anvil, rates_begin_anew_after_the_time_unit) {
    still_clock clock;
    counters seen(clock, std::chrono::seconds(60));
    EXPECT_EQ(seen.add(event::message, "smtp", "192.0.2.1"), 1);
    clock.now_ += std::chrono::seconds(60);
    EXPECT_EQ(seen.add(event::message, "smtp", "192.0.2.1"), 2);
    EXPECT_EQ(seen.count(event::message, "smtp", "192.0.2.1"), 2);
    clock.now_ += std::chrono::seconds(1);
    EXPECT_EQ(seen.count(event::message, "smtp", "192.0.2.1"), 0);
    EXPECT_EQ(seen.add(event::message, "smtp", "192.0.2.1"), 1);
    EXPECT_EQ(seen.count(event::recipient, "smtp", "192.0.2.1"), 0);
}

}  // namespace
}  // namespace mta::anvil
