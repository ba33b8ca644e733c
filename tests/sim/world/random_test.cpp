#include "sim/world/random.hpp"

#include <gtest/gtest.h>

namespace sim {
namespace {

TEST(random_stream, same_names_same_numbers) {
    random_stream a(7, "mail.example", "queue-id"), b(7, "mail.example", "queue-id");
    for (int i = 0; i < 100; ++i) EXPECT_EQ(a.next(), b.next());
}

TEST(random_stream, each_host_purpose_and_seed_has_its_own) {
    const auto first = random_stream(7, "a", "x").next();
    EXPECT_NE(first, random_stream(7, "b", "x").next());
    EXPECT_NE(first, random_stream(7, "a", "y").next());
    EXPECT_NE(first, random_stream(8, "a", "x").next());
    EXPECT_NE(random_stream(7, "ab", "c").next(), random_stream(7, "a", "bc").next());
}

TEST(random_stream, below_stays_below_and_reaches_every_value) {
    random_stream stream(1, "h", "p");
    bool seen[6] = {};
    for (int i = 0; i < 1000; ++i) {
        const auto value = stream.below(6);
        ASSERT_LT(value, 6u);
        seen[value] = true;
    }
    for (const bool value : seen) EXPECT_TRUE(value);
}

}  // namespace
}  // namespace sim
