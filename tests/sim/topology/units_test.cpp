#include "sim/topology/units.hpp"

#include <gtest/gtest.h>

#include "sim/topology/model.hpp"

namespace sim::topology {
namespace {

using namespace std::chrono_literals;

TEST(units, durations_take_every_unit_and_seconds_without_one) {
    EXPECT_EQ(parse_duration("2ms"), 2ms);
    EXPECT_EQ(parse_duration("0.2ms"), 200us);
    EXPECT_EQ(parse_duration("3"), 3s);
    EXPECT_EQ(parse_duration("1.5s"), 1500ms);
    EXPECT_EQ(parse_duration("5m"), 5min);
    EXPECT_EQ(parse_duration("2h"), 2h);
    EXPECT_EQ(parse_duration("5d"), 120h);
}

TEST(units, durations_are_whole_or_nothing) {
    for (const auto wrong :
         {"", "s", "2 s", "-2s", "+2s", "2sec", "2S", "1.s", ".5s", "1e3", "2s ", "99999999999999s", "4000d"})
        EXPECT_FALSE(parse_duration(wrong)) << wrong;
}

TEST(units, bandwidths_are_decimal_bits) {
    EXPECT_EQ(parse_bandwidth("10Mbit/s"), 10'000'000u);
    EXPECT_EQ(parse_bandwidth("64kbit"), 64'000u);
    EXPECT_EQ(parse_bandwidth("2.5Gbit/s"), 2'500'000'000u);
    EXPECT_EQ(parse_bandwidth("9600bit/s"), 9600u);
    for (const auto wrong :
         {"", "10", "10MB/s", "10mbit/s", "0Mbit/s", "0.1bit/s", "10 Mbit/s", "9999999999Gbit/s", "10Mbit/h"})
        EXPECT_FALSE(parse_bandwidth(wrong)) << wrong;
}

TEST(units, probabilities_are_percentages_or_fractions) {
    EXPECT_DOUBLE_EQ(*parse_probability("0.1%"), 0.001);
    EXPECT_DOUBLE_EQ(*parse_probability("100%"), 1);
    EXPECT_DOUBLE_EQ(*parse_probability("0.25"), 0.25);
    for (const auto wrong : {"", "%", "101%", "1.1", "-1%", "5 %", "5percent"})
        EXPECT_FALSE(parse_probability(wrong)) << wrong;
}

TEST(addresses, are_four_decimal_numbers) {
    EXPECT_EQ(parse_address("192.168.137.2"), address{0xC0A88902});
    EXPECT_EQ(to_string(address{0xC0A88902}), "192.168.137.2");
    for (const auto wrong :
         {"", "1.2.3", "1.2.3.4.5", "1.2.3.256", "01.2.3.4", "1..3.4", "1.2.3.4 ", "a.b.c.d", "1.2.3.-4"})
        EXPECT_FALSE(parse_address(wrong)) << wrong;
}

TEST(subnets, know_their_broadcast_and_their_dns) {
    const auto net = parse_subnet("10.44.0.0/16");
    ASSERT_TRUE(net);
    EXPECT_EQ(to_string(net->broadcast()), "10.44.255.255");
    EXPECT_EQ(to_string(net->dns()), "10.44.255.253");
    EXPECT_TRUE(net->contains(*parse_address("10.44.7.7")));
    EXPECT_FALSE(net->contains(*parse_address("10.45.0.1")));
    EXPECT_TRUE(parse_subnet("0.0.0.0/0")->contains(*parse_address("255.255.255.255")));
    for (const auto wrong : {"10.0.0.1/8", "10.0.0.0", "10.0.0.0/33", "10.0.0.0/", "/8", "10.0.0.0/-1"})
        EXPECT_FALSE(parse_subnet(wrong)) << wrong;
}

}  // namespace
}  // namespace sim::topology
