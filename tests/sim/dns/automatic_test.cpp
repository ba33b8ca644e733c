// The zones of some recorded runs of real Postfix, as the recorder completes them.
#include "sim/dns/automatic.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "sim/dns/server.hpp"

namespace sim::dns {
namespace {

using lines = std::vector<std::string>;
using mta::dns::record_type;

machine host(std::string name, std::string address) {
    return {name, std::move(address), name, true};
}

zone_source find(const std::vector<zone_source>& zones, std::string_view name) {
    const auto found = std::find_if(zones.begin(), zones.end(), [&](const auto& zone) { return zone.name == name; });
    return found == zones.end() ? zone_source{"missing", "", "", {}, security::insecure} : *found;
}

lines names(const std::vector<zone_source>& zones) {
    lines all;
    for (const auto& zone : zones) all.push_back(zone.name);
    return all;
}

std::string first_address(const server& lab, std::string name) {
    const auto got = lab.answer({std::move(name), record_type::a}).response;
    return got.ok() ? got.answers.back().address : std::string(mta::dns::text_of(got.state));
}

zone_plan chain() {
    zone_plan plan;
    plan.server_address = "192.168.137.253";
    plan.zones = {{"york.cc", "@     IN MX 10 mail.york.cc.\n"}};
    plan.machines = {host("smtp.6circles.cc", "192.168.137.2"), host("mail.ohio.cc", "192.168.137.9"),
                     host("mail.york.cc", "192.168.137.5")};
    return plan;
}

TEST(automatic, the_open_relay_chain) {
    const auto zones = complete(chain());
    EXPECT_EQ(names(zones), (lines{"york.cc", "6circles.cc", "137.168.192.in-addr.arpa", "ohio.cc", "."}));
    EXPECT_EQ(find(zones, "york.cc").head,
              "$TTL 300\n@ IN SOA ns.york.cc. hostmaster.york.cc. 1 3600 600 86400 60\n@ IN NS ns.york.cc.\n"
              "ns IN A 192.168.137.253\n");
    EXPECT_EQ(find(zones, "york.cc").tail, lines{"mail.york.cc. IN A 192.168.137.5"});
    EXPECT_EQ(find(zones, "6circles.cc").tail, lines{"smtp.6circles.cc. IN A 192.168.137.2"});
    EXPECT_EQ(find(zones, "137.168.192.in-addr.arpa").tail,
              (lines{"2.137.168.192.in-addr.arpa. IN PTR smtp.6circles.cc.",
                     "9.137.168.192.in-addr.arpa. IN PTR mail.ohio.cc.",
                     "5.137.168.192.in-addr.arpa. IN PTR mail.york.cc."}));
    EXPECT_EQ(find(zones, ".").head,
              "$TTL 300\n@ IN SOA ns.root. hostmaster.root. 1 3600 600 86400 60\n@ IN NS ns.root.\n"
              "ns.root. IN A 192.168.137.253\n");
    for (const auto& zone : zones) EXPECT_TRUE(zone::load(zone).complaints.empty()) << zone.name;
}

TEST(automatic, the_seed_chain_has_its_client_too) {
    auto plan = chain();
    plan.machines.push_back(host("laptop.6circles.cc", "192.168.137.10"));
    const auto zones = complete(plan);
    EXPECT_EQ(find(zones, "6circles.cc").tail,
              (lines{"smtp.6circles.cc. IN A 192.168.137.2", "laptop.6circles.cc. IN A 192.168.137.10"}));
}

TEST(automatic, split_dns_gives_each_side_its_addresses) {
    zone_plan plan;
    plan.server_address = "10.99.4.253";
    plan.zones = {{"castle.example", "@   IN MX 10 gate.castle.example.\n"},
                  {"keep.internal", "@       IN MX 10 inner.keep.internal.\n"},
                  {"village.test", "@   IN MX 10 mx.village.test.\n"}};
    plan.machines = {host("gate.castle.example", "10.99.4.1"), host("inner.keep.internal", "10.99.4.2"),
                     host("mx.village.test", "10.99.4.3")};
    server lab;
    EXPECT_TRUE(lab.load(plan).empty());
    EXPECT_EQ(first_address(lab, "gate.castle.example"), "10.99.4.1");
    EXPECT_EQ(first_address(lab, "inner.keep.internal"), "10.99.4.2");
    EXPECT_EQ(first_address(lab, "ns.village.test"), "10.99.4.253");
    EXPECT_EQ(first_address(lab, "keep.internal"), "Host found but no data record of requested type");
    EXPECT_EQ(first_address(lab, "elsewhere.example"), "Host not found");
    const auto pointer = lab.answer({*mta::dns::reverse_name("10.99.4.2"), record_type::ptr}).response;
    EXPECT_EQ(pointer.answers.at(0).target, "inner.keep.internal");
}

TEST(automatic, mx_preference_keeps_the_order_of_declaration) {
    zone_plan plan;
    plan.server_address = "192.0.2.253";
    plan.zones = {{"many.test", "@   IN MX 30 third.many.test.\n@   IN MX 10 first.many.test.\n"}};
    plan.machines = {host("sender.pref.example", "192.0.2.10"), host("first.many.test", "192.0.2.21"),
                     host("third.many.test", "192.0.2.23")};
    server lab;
    EXPECT_TRUE(lab.load(plan).empty());
    const auto exchangers = lab.answer({"many.test", record_type::mx}).response.answers;
    ASSERT_EQ(exchangers.size(), 2u);
    EXPECT_EQ(exchangers[0].target, "third.many.test");
    EXPECT_EQ(exchangers[1].target, "first.many.test");
    EXPECT_EQ(first_address(lab, "first.many.test"), "192.0.2.21");
    EXPECT_EQ(first_address(lab, "sender.pref.example"), "192.0.2.10");
}

TEST(automatic, a_line_of_the_zone_goes_before_the_automatic_address) {
    for (const std::string declared : {"mail IN A 192.0.2.9", "MAIL A 192.0.2.9", "mail\tin\ta 192.0.2.9"}) {
        auto plan = chain();
        plan.zones[0].text = "@ IN MX 10 mail\n" + declared + "\n";
        EXPECT_TRUE(find(complete(plan), "york.cc").tail.empty()) << declared;
    }
    // Only this form counts: as the recorder looks for it, too.
    for (const std::string other :
         {"mail 60 IN A 192.0.2.9", "mail IN AAAA ::1", "mail IN MX 5 x", "mailx IN A 192.0.2.9"}) {
        auto plan = chain();
        plan.zones[0].text = other + "\n";
        EXPECT_EQ(find(complete(plan), "york.cc").tail.size(), 1u) << other;
    }
}

TEST(automatic, the_longest_zone_is_home_and_the_apex_is_an_at_sign) {
    auto plan = chain();
    plan.zones = {{"cc", ""}, {"mail.york.cc", ""}, {"York.CC.", ""}};
    const auto zones = complete(plan);
    EXPECT_EQ(find(zones, "cc").tail.size(), 2u);
    EXPECT_EQ(find(zones, "mail.york.cc").tail, lines{"mail.york.cc. IN A 192.168.137.5"});
    plan.zones[1].text = "@ IN A 192.0.2.9\n";
    EXPECT_TRUE(find(complete(plan), "mail.york.cc").tail.empty());
}

TEST(automatic, machines_may_do_without_address_and_pointer) {
    auto plan = chain();
    plan.machines[2].a = false;
    plan.machines[0].ptr.reset();
    plan.machines[1].ptr = "other.example";
    const auto zones = complete(plan);
    EXPECT_TRUE(find(zones, "york.cc").tail.empty());
    EXPECT_EQ(find(zones, "137.168.192.in-addr.arpa").tail,
              (lines{"9.137.168.192.in-addr.arpa. IN PTR other.example.",
                     "5.137.168.192.in-addr.arpa. IN PTR mail.york.cc."}));
}

TEST(automatic, a_zone_with_a_soa_gets_no_head_and_a_root_of_ones_own_stays) {
    auto plan = chain();
    plan.zones = {{"york.cc", "@ 60 IN SOA ns.ohio.cc. h 1 2 3 4 5\n@ 60 IN NS ns.ohio.cc.\n"},
                  {".", "test IN NS ns.test\n"}};
    const auto zones = complete(plan);
    EXPECT_EQ(find(zones, "york.cc").head, "");
    EXPECT_EQ(names(zones), (lines{"york.cc", ".", "6circles.cc", "137.168.192.in-addr.arpa", "ohio.cc"}));
    for (const auto& zone : zones) EXPECT_TRUE(zone::load(zone).contents) << zone.name;
}

TEST(automatic, ipv6_machines_get_aaaa_and_nibbles) {
    zone_plan plan;
    plan.server_address = "2001:db8::53";
    plan.machines = {host("mx.six.example", "2001:db8::25")};
    server lab;
    EXPECT_TRUE(lab.load(plan).empty());
    EXPECT_EQ(lab.answer({"mx.six.example", record_type::aaaa}).response.answers.at(0).address, "2001:db8::25");
    const auto pointer = lab.answer({*mta::dns::reverse_name("2001:db8::25"), record_type::ptr}).response;
    EXPECT_EQ(pointer.answers.at(0).target, "mx.six.example");
}

}  // namespace
}  // namespace sim::dns
