#include "mta/anvil/anvil.hpp"

#include <gtest/gtest.h>

#include "mta/text/dates.hpp"

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

TEST(anvil, tells_the_most_of_each_once) {
    still_clock clock;
    counters seen(clock, std::chrono::seconds(60));
    seen.connect("smtp", "192.0.2.1");
    seen.connect("smtp", "192.0.2.1");
    seen.connect("smtp", "192.0.2.2");
    seen.add(event::recipient, "smtp", "192.0.2.2");
    const std::vector<std::string> expected = {
        "statistics: max connection rate 2/60s for (smtp:192.0.2.1) at Jan  1 01:00:00",
        "statistics: max connection count 2 for (smtp:192.0.2.1) at Jan  1 01:00:00",
        "statistics: max recipient rate 1/60s for (smtp:192.0.2.2) at Jan  1 01:00:00",
        "statistics: max cache size 2 at Jan  1 01:00:00"};
    EXPECT_EQ(seen.take_statistics({}), expected);
    EXPECT_TRUE(seen.take_statistics({}).empty());
    EXPECT_FALSE(seen.idle());
}

}  // namespace
}  // namespace mta::anvil
