#include "sim/network/real_addresses.hpp"

#include <gtest/gtest.h>

#include <set>
#include <stdexcept>

#include "sim/network/real_socket.hpp"
#include "tests/live/live_network.hpp"

namespace tests {
namespace {

using sim::network::loopback_endpoint;
using sim::network::real_addresses;

TEST(real_addresses, keep_their_last_three_bytes) {
    real_addresses places;
    const auto mail = address("192.168.137.5");
    EXPECT_EQ(places.real(mail, mail).to_string(), "127.168.137.5");
    EXPECT_EQ(places.real(mail, mail).to_string(), "127.168.137.5");
    const auto back = places.topological(address("127.168.137.5"));
    ASSERT_TRUE(back);
    EXPECT_EQ(back->machine, mail);
    EXPECT_EQ(back->address, mail);
    EXPECT_FALSE(places.topological(address("127.168.137.6")));
}

TEST(real_addresses, leave_the_machines_own_network_alone) {
    real_addresses places;
    for (const auto* each : {"10.0.0.1", "10.0.0.0", "10.255.255.255"}) {
        const auto place = places.real(address(each), address(each));
        EXPECT_TRUE(place.is_loopback()) << each;
        EXPECT_NE(place.masked(24), address("127.0.0.0")) << each;
        EXPECT_NE(place, address("127.255.255.255")) << each;
    }
}

TEST(real_addresses, of_two_machines_are_never_the_same) {
    real_addresses places;
    std::set<mta::address::ip_address> given;
    // Alike in their last three bytes, next to each other, and each with its own 127.0.0.1 and 127.0.0.2.
    for (const auto* each : {"10.1.2.3", "11.1.2.3", "10.1.2.4", "10.129.2.3", "12.0.0.3", "13.128.0.3"}) {
        for (const auto* known : {each, "127.0.0.1", "127.0.0.2"}) {
            const auto place = places.real(address(each), address(known));
            EXPECT_TRUE(given.insert(place).second) << each << " " << known;
            EXPECT_EQ(places.topological(place)->machine, address(each));
            EXPECT_EQ(places.topological(place)->address, address(known));
        }
    }
}

TEST(loopback_endpoint, is_made_of_loopback_addresses_alone) {
    EXPECT_EQ(loopback_endpoint(at("127.168.137.5", 25)).native().port(), 25);
    for (const auto* each :
         {"0.0.0.0", "192.168.137.5", "128.0.0.1", "126.255.255.255", "::1", "::", "::ffff:127.0.0.1"}) {
        EXPECT_THROW(loopback_endpoint(at(each, 25)), std::logic_error) << each;
    }
}

}  // namespace
}  // namespace tests
