#include "mta/address/ip_address.hpp"

#include <gtest/gtest.h>

namespace mta::address {
namespace {

TEST(ip_address, text_and_back) {
    for (const auto* text :
         {"192.0.2.1", "0.0.0.0", "255.255.255.255", "::", "::1", "2001:db8::1", "::ffff:192.0.2.1"}) {
        const auto address = ip_address::parse(text);
        ASSERT_TRUE(address) << text;
        EXPECT_EQ(address->to_string(), text);
    }
    EXPECT_EQ(ip_address::parse("2001:DB8:0::1")->to_string(), "2001:db8::1");
    for (const auto* text :
         {"", "1.2.3", "01.2.3.4", "1.2.3.4.5", "1.2.3.256", "[1.2.3.4]", "::g", "1::2::3", "fe80::1%lo"}) {
        EXPECT_FALSE(ip_address::parse(text)) << text;
    }
    EXPECT_FALSE(ip_address::parse(std::string_view("1.2.3.4\0x", 9)));
}

TEST(ip_address, mail_literals_name_the_family) {
    EXPECT_EQ(ip_address::parse_literal("[192.0.2.1]"), ip_address::v4(192, 0, 2, 1));
    EXPECT_EQ(ip_address::parse_literal("[ipv6:::1]")->to_literal(), "[IPv6:::1]");
    for (const auto* text : {"[::1]", "[IPv6:192.0.2.1]", "192.0.2.1", "[192.0.2.1", "[]"}) {
        EXPECT_FALSE(ip_address::parse_literal(text)) << text;
    }
}

TEST(ip_address, order_puts_ipv4_first) {
    EXPECT_LT(*ip_address::parse("10.0.0.2"), *ip_address::parse("10.0.0.10"));
    EXPECT_LT(*ip_address::parse("255.0.0.0"), *ip_address::parse("::"));
}

TEST(ip_address, reverse_names) {
    EXPECT_EQ(ip_address::v4(192, 0, 2, 1).reverse_name(), "1.2.0.192.in-addr.arpa");
    EXPECT_EQ(ip_address::parse("2001:db8::1")->reverse_name(),
              "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa");
}

TEST(ip_address, kinds) {
    EXPECT_TRUE(ip_address::parse("127.9.9.9")->is_loopback());
    EXPECT_TRUE(ip_address::parse("::1")->is_loopback());
    EXPECT_FALSE(ip_address::parse("::")->is_loopback());
    EXPECT_TRUE(ip_address::parse("239.1.1.1")->is_multicast());
    EXPECT_EQ(ip_address::parse("::ffff:192.0.2.1")->unmapped(), ip_address::v4(192, 0, 2, 1));
    EXPECT_EQ(ip_address::v4(0xC0000201U), ip_address::v4(192, 0, 2, 1));
    EXPECT_EQ(ip_address::v4(192, 0, 2, 1).v4_number(), 0xC0000201U);
}

TEST(ip_network, contains_what_its_mask_says) {
    const auto network = ip_network::parse("192.0.2.0/25").network;
    ASSERT_TRUE(network);
    EXPECT_TRUE(network->contains(*ip_address::parse("192.0.2.127")));
    EXPECT_FALSE(network->contains(*ip_address::parse("192.0.2.128")));
    EXPECT_FALSE(network->contains(*ip_address::parse("::ffff:192.0.2.1")));
    EXPECT_TRUE(ip_network::parse("::/0").network->contains(*ip_address::parse("2001:db8::1")));
    EXPECT_EQ(ip_network::parse("[2001:db8::]/32").network->to_string(), "2001:db8::/32");
    EXPECT_EQ(ip_network(ip_address::v4(10, 1, 2, 3), 8).to_string(), "10.0.0.0/8");
}

TEST(ip_network, faults_are_in_the_words_of_cidr_table) {
    const std::pair<const char*, const char*> cases[] = {
        {"1.2.3.4/24", R"(non-null host address bits in "1.2.3.4/24", perhaps you should use "1.2.3.0/24" instead)"},
        {"2001:DB8::1/32",
         R"(non-null host address bits in "2001:DB8::1/32", perhaps you should use "2001:db8::/32" instead)"},
        {"1.2.3", R"(bad address pattern: "1.2.3")"},
        {"1.2.3/24", R"(bad network value in "1.2.3/24")"},
        {"1.2.3.4/33", R"(bad mask length in "1.2.3.4/33")"},
        {"1.2.3.4/-1", R"(bad mask value in "1.2.3.4/-1")"},
        {"1.2.3.4/", R"(bad mask value in "1.2.3.4/")"},
        {"[1.2.3.0", R"(missing ']' character after "[1.2.3.0")"},
        {"[1.2.3.0]x", R"(garbage after "[1.2.3.0]")"},
    };
    for (const auto& [text, fault] : cases) {
        const auto parsed = ip_network::parse(text);
        EXPECT_FALSE(parsed.network) << text;
        EXPECT_EQ(parsed.error, fault);
    }
}

}  // namespace
}  // namespace mta::address
