#include "mta/verify/cache.hpp"

#include <gtest/gtest.h>

namespace mta::verify {
namespace {

using std::chrono::seconds;

constexpr time_point start{std::chrono::hours(400'000)};
const char* const address = "u@oak.example";

cache_settings short_times() {
    cache_settings how;
    how.positive_expire = seconds(2000);
    how.positive_refresh = seconds(1500);
    how.negative_expire = seconds(1200);
    how.negative_refresh = seconds(600);
    return how;
}

TEST(verify_cache, a_new_address_wants_one_probe_and_no_other_while_that_is_under_way) {
    const cache_settings how = short_times();
    cache known;
    const auto first = known.ask(address, start, how);
    EXPECT_EQ(first.told.what, verdict::unknown);
    EXPECT_EQ(first.told.text, "Address verification in progress");
    EXPECT_TRUE(first.wants_probe);
    EXPECT_FALSE(known.ask(address, start + seconds(1000), how).wants_probe);
    EXPECT_TRUE(known.ask(address, start + seconds(1001), how).wants_probe);
}

TEST(verify_cache, a_good_answer_is_asked_about_again_before_it_expires) {
    const cache_settings how = short_times();
    cache known;
    known.learn(address, verdict::deliverable, "250 ok", start, how);
    EXPECT_FALSE(known.ask(address, start + seconds(1500), how).wants_probe);
    const auto late = known.ask(address, start + seconds(1501), how);
    EXPECT_EQ(late.told.what, verdict::deliverable);
    EXPECT_EQ(late.told.text, "250 ok");
    EXPECT_TRUE(late.wants_probe);
    // While the probe is under way the answer counts, even past its time.
    EXPECT_EQ(known.ask(address, start + seconds(2001), how).told.what, verdict::deliverable);
    EXPECT_EQ(known.ask(address, start + seconds(2600), how).told.what, verdict::unknown);
}

TEST(verify_cache, a_failed_probe_does_not_undo_a_good_answer_that_counts) {
    const cache_settings how = short_times();
    cache known;
    known.learn(address, verdict::deliverable, "250 ok", start, how);
    known.learn(address, verdict::undeliverable, "550 no", start + seconds(10), how);
    EXPECT_EQ(known.ask(address, start + seconds(20), how).told.what, verdict::deliverable);
    known.learn(address, verdict::undeliverable, "550 no", start + seconds(2001), how);
    EXPECT_EQ(known.ask(address, start + seconds(2002), how).told.what, verdict::undeliverable);
    known.learn(address, verdict::deferred, "450 later", start + seconds(2003), how);
    EXPECT_EQ(known.ask(address, start + seconds(2004), how).told.what, verdict::deferred);
}

TEST(verify_cache, without_a_negative_cache_every_question_wants_a_probe) {
    cache_settings how = short_times();
    how.keeps_negative = false;
    cache known;
    EXPECT_TRUE(known.ask(address, start, how).wants_probe);
    EXPECT_TRUE(known.ask(address, start + seconds(1), how).wants_probe);
    known.learn(address, verdict::deliverable, "250 ok", start + seconds(2), how);
    EXPECT_FALSE(known.ask(address, start + seconds(3), how).wants_probe);
}

TEST(verify_cache, cleaning_drops_what_has_expired) {
    const cache_settings how = short_times();
    cache known;
    known.learn("good@oak.example", verdict::deliverable, "250 ok", start, how);
    known.learn("bad@oak.example", verdict::undeliverable, "550 no", start, how);
    const cache::cleaned done = known.clean(start + seconds(1201), how);
    EXPECT_EQ(done.retained, 1u);
    EXPECT_EQ(done.dropped, 1u);
    EXPECT_EQ(known.last_cleaned, start + seconds(1201));
}

}  // namespace
}  // namespace mta::verify
