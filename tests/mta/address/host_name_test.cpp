#include "mta/address/host_name.hpp"

#include <gtest/gtest.h>

namespace mta::address {
namespace {

TEST(host_name, good_names) {
    const std::string longest_label(63, 'a');
    for (const auto& name : {std::string("a"), std::string("mail.example"), std::string("a_b"), std::string("1-2"),
                             std::string("a.b.1"), std::string("xn--a"), longest_label + ".b"}) {
        EXPECT_EQ(hostname_fault(name), std::nullopt) << name;
    }
}

TEST(host_name, each_fault_has_its_warning) {
    const std::pair<const char*, const char*> cases[] = {
        {"", "valid_hostname: empty hostname"},
        {"a.", "valid_hostname: misplaced delimiter: a."},
        {"a..b", "valid_hostname: misplaced delimiter: a..b"},
        {"-a", "valid_hostname: misplaced hyphen: -a"},
        {"x-.b", "valid_hostname: misplaced hyphen: x-.b"},
        {"a b", "valid_hostname: invalid character 32(decimal): a b"},
        {"1.2.3.4", "valid_hostname: numeric hostname: 1.2.3.4"},
    };
    for (const auto& [name, warning] : cases) EXPECT_EQ(hostname_fault(name), warning);
    const std::string label(64, 'a');
    EXPECT_EQ(hostname_fault(label), "valid_hostname: hostname label too long: " + label);
    std::string name;
    for (int i = 0; i < 5; ++i) name += std::string(60, 'a') + (i < 4 ? "." : "");
    EXPECT_EQ(hostname_fault(name), "valid_hostname: bad length 304 for " + name.substr(0, 100) + "...");
}

TEST(host_name, ipv4_addresses_as_postfix_takes_them) {
    for (const auto* text : {"1.2.3.4", "0.0.0.0", "01.2.3.4", "1.2.3.0001"}) EXPECT_EQ(ipv4_fault(text), std::nullopt);
    EXPECT_EQ(ipv4_fault("0.1.2.3"), "valid_ipv4_hostaddr: bad initial octet value: 0.1.2.3");
    EXPECT_EQ(ipv4_fault("1.2.3.256"), "valid_ipv4_hostaddr: invalid octet value: 1.2.3.256");
    EXPECT_EQ(ipv4_fault("1.2.3"), "valid_ipv4_hostaddr: invalid octet count: 1.2.3");
    EXPECT_EQ(ipv4_fault("1.2.3.4."), "valid_ipv4_hostaddr: misplaced dot: 1.2.3.4.");
    EXPECT_EQ(ipv4_fault("a"), "valid_ipv4_hostaddr: invalid character 97(decimal): a");
    EXPECT_EQ(hostaddr_fault(""), "valid_hostaddr: empty address");
}

TEST(host_name, ipv6_addresses_as_postfix_takes_them) {
    for (const auto* text :
         {"::", "::1", "1::", "1:2:3:4:5:6:7:8", "::1.2.3.4", "1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6:7"}) {
        EXPECT_EQ(ipv6_fault(text), std::nullopt) << text;
    }
    const std::pair<const char*, const char*> cases[] = {
        {":1", "valid_ipv6_hostaddr: bad null first field in IPv6 address: :1"},
        {"1:", "valid_ipv6_hostaddr: too few `:' in IPv6 address: 1:"},
        {"1:2:3:4:5:6:7:", "valid_ipv6_hostaddr: bad null last field in IPv6 address: 1:2:3:4:5:6:7:"},
        {"1:2:3:4:5:6:7:8:9", "valid_ipv6_hostaddr: too many `:' in IPv6 address: 1:2:3:4:5:6:7:8:9"},
        {"1::2::3", "valid_ipv6_hostaddr: too many `::' in IPv6 address: 1::2::3"},
        {"12345::", "valid_ipv6_hostaddr: malformed IPv6 address: 12345::"},
        {"::g", "valid_ipv6_hostaddr: invalid character 103(decimal) in IPv6 address: ::g"},
        {"1.2.3.4", "valid_ipv6_hostaddr: malformed IPv4-in-IPv6 address: 1.2.3.4"},
        {"::1.2.3", "valid_ipv4_hostaddr: invalid octet count: 1.2.3"},
    };
    for (const auto& [text, warning] : cases) EXPECT_EQ(ipv6_fault(text), warning);
}

TEST(host_name, literals_need_their_brackets) {
    EXPECT_TRUE(valid_mailhost_literal("[1.2.3.4]"));
    EXPECT_TRUE(valid_mailhost_literal("[ipv6:::1]"));
    EXPECT_EQ(mailhost_literal_fault("1.2.3.4"), "valid_mailhost_literal: '[' expected at start: 1.2.3.4");
    EXPECT_EQ(mailhost_literal_fault("[1.2.3.4"), "valid_mailhost_literal: ']' expected at end: [1.2.3.4");
    EXPECT_EQ(mailhost_literal_fault("[1.2.3.4]x"), "valid_mailhost_literal: unexpected text after ']': [1.2.3.4]x");
    EXPECT_EQ(mailhost_literal_fault("[::1]"), "valid_ipv4_hostaddr: invalid character 58(decimal): ::1");
}

TEST(host_name, ports) {
    EXPECT_EQ(hostport_fault("65535"), std::nullopt);
    EXPECT_EQ(hostport_fault("65536"), "valid_hostport: out-of-range port number: 65536");
    EXPECT_EQ(hostport_fault("smtp"), "valid_hostport: non-numeric port number: smtp");
    EXPECT_EQ(hostport_fault("025"), "valid_hostport: leading zero in port number: 025");
}

TEST(host_name, utf8_names_are_judged_as_a_labels) {
    EXPECT_EQ(domain_to_ascii("m\u00fcnchen.de"), "xn--mnchen-3ya.de");
    EXPECT_EQ(domain_to_ascii("\u4f8b\u3048.\u30c6\u30b9\u30c8"), "xn--r8jz45g.xn--zckzah");
    EXPECT_TRUE(valid_utf8_hostname(true, "m\u00fcnchen.de"));
    EXPECT_FALSE(valid_utf8_hostname(false, "m\u00fcnchen.de"));
    EXPECT_FALSE(valid_utf8_hostname(true, "-\u00fc"));
    EXPECT_FALSE(valid_utf8_hostname(true, std::string(64, 'x') + "\u00fc"));
    EXPECT_FALSE(valid_utf8_hostname(true, "a\xff.b"));
    EXPECT_FALSE(valid_utf8("\xed\xa0\x80"));
    EXPECT_FALSE(valid_utf8("\xc0\x80"));
}

}  // namespace
}  // namespace mta::address
