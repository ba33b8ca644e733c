#include "mta/postscreen/cache.hpp"

#include <gtest/gtest.h>

#include "mta/config/problem.hpp"
#include "mta/postscreen/settings.hpp"

namespace mta::postscreen {
namespace {

using std::chrono::hours;

constexpr time_point start{hours(400'000)};

TEST(postscreen_cache, keeps_the_times_of_a_client_until_long_after_the_last_of_them) {
    cache known;
    EXPECT_EQ(known.find("192.0.2.1"), nullptr);
    expiry_times times{};
    times[0] = start + hours(24);
    known.keep("192.0.2.1", times);
    ASSERT_NE(known.find("192.0.2.1"), nullptr);
    EXPECT_EQ(known.clean(start + hours(24 + 7 * 24), hours(7 * 24)).retained, 1u);
    const cache::cleaned done = known.clean(start + hours(25 + 7 * 24), hours(7 * 24));
    EXPECT_EQ(done.dropped, 1u);
    EXPECT_EQ(done.retained, 0u);
    EXPECT_EQ(known.find("192.0.2.1"), nullptr);
}

TEST(postscreen_sites, a_site_has_a_domain_a_filter_and_a_weight) {
    const dnsbl_site plain = parse_site("bl.example");
    EXPECT_EQ(plain.domain, "bl.example");
    EXPECT_EQ(plain.weight, 1);
    EXPECT_FALSE(plain.filter);
    const dnsbl_site full = parse_site("bl.example=127.0.0.[2..4]*-3");
    EXPECT_EQ(full.domain, "bl.example");
    EXPECT_EQ(full.weight, -3);
    ASSERT_TRUE(full.filter);
    EXPECT_TRUE(full.filter->matches("127.0.0.3"));
    EXPECT_FALSE(full.filter->matches("127.0.0.5"));
}

TEST(postscreen_sites, a_site_that_cannot_be_read_is_fatal) {
    EXPECT_THROW(parse_site("bl.example*much"), config::fatal);
    EXPECT_THROW(parse_site("bl.example=127.0.0*2"), config::fatal);
    EXPECT_THROW(parse_site("bl.example*"), config::fatal);
}

}  // namespace
}  // namespace mta::postscreen
