#include "mta/smtp/host_order.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "mta/random.hpp"

namespace mta::smtp {
namespace {

// Asks for no randomness where none is wanted.
class no_random final : public random_source {
  public:
    std::uint64_t next() override {
        ADD_FAILURE() << "asked for a random number";
        return 0;
    }
};

std::string ordered(std::vector<std::pair<std::string, std::uint16_t>> hosts, address_order order) {
    order.randomize = false;
    std::vector<candidate> all;
    for (auto& [address, preference] : hosts) {
        candidate one;
        one.address = std::move(address);
        one.preference = preference;
        all.push_back(std::move(one));
    }
    no_random random;
    put_in_order(all, random, order);
    std::string out;
    for (const candidate& each : all) out += (out.empty() ? "" : " ") + each.address;
    return out;
}

TEST(host_order, the_preference_of_an_mx_comes_before_the_family) {
    EXPECT_EQ(ordered({{"192.0.2.2", 20}, {"::2", 20}, {"192.0.2.1", 10}}, {true, family_preference::ipv6, 0}),
              "192.0.2.1 ::2 192.0.2.2");
    EXPECT_EQ(ordered({{"::1", 10}, {"192.0.2.1", 10}}, {true, family_preference::ipv4, 0}), "192.0.2.1 ::1");
    EXPECT_EQ(ordered({{"::1", 10}, {"192.0.2.1", 10}}, {true, family_preference::any, 0}), "::1 192.0.2.1");
}

TEST(host_order, neither_family_crowds_out_the_other) {
    const std::vector<std::pair<std::string, std::uint16_t>> two_each = {
        {"192.0.2.1", 10}, {"192.0.2.2", 10}, {"::1", 10}, {"::2", 10}};
    EXPECT_EQ(ordered(two_each, {true, family_preference::ipv6, 3}), "::1 ::2 192.0.2.1");
    EXPECT_EQ(ordered(two_each, {true, family_preference::ipv4, 3}), "192.0.2.1 192.0.2.2 ::1");
    EXPECT_EQ(ordered(two_each, {true, family_preference::ipv6, 1}), "::1");
    EXPECT_EQ(ordered({{"192.0.2.1", 10}, {"192.0.2.2", 10}, {"192.0.2.3", 10}, {"::1", 10}},
                      {true, family_preference::any, 3}),
              "192.0.2.1 192.0.2.2 ::1");
    EXPECT_EQ(ordered({{"192.0.2.1", 10}, {"192.0.2.2", 20}}, {true, family_preference::any, 1}),
              "192.0.2.1 192.0.2.2");
}

}  // namespace
}  // namespace mta::smtp
