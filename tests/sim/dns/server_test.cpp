#include "sim/dns/server.hpp"

#include <gtest/gtest.h>

namespace sim::dns {
namespace {

using namespace std::chrono_literals;
using mta::dns::lookup;
using mta::dns::question;
using mta::dns::rcode;
using mta::dns::record_type;
using mta::dns::response;
using mta::dns::status;

zone_plan plan_with(std::vector<declared_zone> zones) {
    zone_plan plan;
    plan.server_address = "10.0.0.253";
    plan.zones = std::move(zones);
    return plan;
}

std::string address_of(const server& lab, std::string name, std::string_view client = "") {
    const auto got = lab.answer({std::move(name), record_type::a}, client).response;
    return got.ok() ? got.answers.back().address : std::string(mta::dns::text_of(got.state));
}

// What Postfix says about a name, asked as dns_lookup(3) asks; "" when it got what it wanted.
std::string postfix_says(const server& lab, std::string name, record_type type = record_type::a) {
    lookup way(question{std::move(name), type});
    while (!way.done()) way.feed(lab.answer(way.asked()).response);
    return mta::dns::explain(way.asked(), way.result().state);
}

// Each text as Postfix 3.7 logged it over BIND with these zones.
TEST(server, failures_read_as_postfix_words_them) {
    server lab;
    lab.load(plan_with({{"z1.test", R"(
@       IN TXT "no mail here"
plus    IN MX 0 .
plus    IN MX 10 mail
five    IN MX 5 .
dang    IN CNAME gone
ctxt    IN CNAME t
t       IN TXT "x"
xdang   IN CNAME gone.z2.test.
xtxt    IN CNAME t.z2.test.
xloop   IN CNAME xloop.z2.test.
xbroken IN CNAME a.broken.test.
self    IN CNAME self
loop    IN CNAME loop2
loop2   IN CNAME loop
deleg   IN NS ns.deleg
ns.deleg IN A 10.77.0.98
cross   IN CNAME m.z2.test.
)"},
                        {"z2.test", "t IN TXT x\nxloop IN CNAME xloop.z1.test.\nm IN MX 10 nomx\nm IN MX 0 .\n"},
                        {"broken.test", "@ IN MX\n"}}));
    const std::string failed = "Host or domain name not found. Name service error for name=";
    const std::string no_data = ": Host found but no data record of requested type";
    EXPECT_EQ(postfix_says(lab, "absent.test"), failed + "absent.test type=A: Host not found");
    EXPECT_EQ(postfix_says(lab, "z1.test"), failed + "z1.test type=A" + no_data);
    EXPECT_EQ(postfix_says(lab, "dang.z1.test"), failed + "dang.z1.test type=A: Host not found");
    EXPECT_EQ(postfix_says(lab, "ctxt.z1.test"), failed + "t.z1.test type=A" + no_data);
    EXPECT_EQ(postfix_says(lab, "xdang.z1.test"), failed + "gone.z2.test type=A: Host not found");
    EXPECT_EQ(postfix_says(lab, "xtxt.z1.test"), failed + "t.z2.test type=A" + no_data);
    EXPECT_EQ(postfix_says(lab, "deleg.z1.test"), failed + "deleg.z1.test type=A" + no_data);
    EXPECT_EQ(postfix_says(lab, "broken.test", record_type::mx),
              failed + "broken.test type=MX: Host not found, try again");
    EXPECT_EQ(postfix_says(lab, "loop.z1.test", record_type::mx),
              failed + "loop.z1.test type=MX: Host not found, try again");
    EXPECT_EQ(postfix_says(lab, "self.z1.test"), failed + "self.z1.test type=A: Host not found, try again");
    EXPECT_EQ(postfix_says(lab, "xbroken.z1.test", record_type::mx),
              failed + "xbroken.z1.test type=MX: Host not found, try again");
    EXPECT_EQ(postfix_says(lab, "xloop.z1.test", record_type::mx), "Name server loop for xloop.z1.test");
    EXPECT_EQ(postfix_says(lab, "plus.z1.test", record_type::mx), "Domain plus.z1.test does not accept mail (nullMX)");
    EXPECT_EQ(postfix_says(lab, "five.z1.test", record_type::mx), "Domain five.z1.test does not accept mail (nullMX)");
    EXPECT_EQ(postfix_says(lab, "cross.z1.test", record_type::mx), "Domain m.z2.test does not accept mail (nullMX)");
}

TEST(server, a_broken_zone_complains_and_can_be_mended) {
    server lab;
    const auto complaints = lab.load(plan_with({{"york.cc", "@ IN MX\n"}}));
    ASSERT_EQ(complaints.size(), 1u);
    EXPECT_EQ(lab.answer({"x.york.cc", record_type::a}).response.code, rcode::servfail);
    EXPECT_TRUE(lab.replace_zone("york.cc.", "x IN A 10.0.0.1\n").empty());
    EXPECT_EQ(address_of(lab, "x.york.cc"), "10.0.0.1");
    EXPECT_EQ(lab.replace_zone("york.cc", "x IN A 10.0.0\n").size(), 1u);
    EXPECT_EQ(lab.answer({"x.york.cc", record_type::a}).response.code, rcode::servfail);
    EXPECT_EQ(lab.replace_zone("a..b", "").size(), 1u);
}

TEST(server, replacing_a_zone_works_out_the_automatic_records_anew) {
    server lab;
    auto plan = plan_with({{"york.cc", "mail IN A 10.0.0.9\n"}});
    plan.machines = {{"mail.york.cc", "10.0.0.1", "mail.york.cc", true}};
    lab.load(plan);
    EXPECT_EQ(address_of(lab, "mail.york.cc"), "10.0.0.9");
    EXPECT_TRUE(lab.replace_zone("york.cc", "@ IN MX 10 mail\n").empty());
    EXPECT_EQ(address_of(lab, "mail.york.cc"), "10.0.0.1");
    // A deeper zone takes the machine's record with it.
    for (const auto& complaint : lab.replace_zone("mail.york.cc", "x IN A 10.0.0.7\n")) {
        EXPECT_EQ(to_string(complaint).substr(0, 54), "york.cc:1: warning: MX mail.york.cc has no address in ");
    }
    EXPECT_EQ(address_of(lab, "mail.york.cc"), "10.0.0.1");
    EXPECT_EQ(address_of(lab, "x.mail.york.cc"), "10.0.0.7");
}

TEST(server, without_a_root_zone_strange_names_are_refused) {
    server lab;
    lab.put_zone(
        {"york.cc", "@ 60 IN SOA ns h 1 2 3 4 5\n@ 60 IN NS ns\nns 60 IN A 10.0.0.1\n", "", {}, security::insecure});
    EXPECT_EQ(lab.answer({"ohio.cc", record_type::a}).response.code, rcode::refused);
    EXPECT_EQ(lab.answer({"ohio.cc", record_type::a}).response.state, status::try_again);
    EXPECT_EQ(address_of(lab, "ns.york.cc"), "10.0.0.1");
    EXPECT_TRUE(lab.remove_zone("YORK.cc"));
    EXPECT_FALSE(lab.remove_zone("york.cc"));
    EXPECT_EQ(lab.answer({"york.cc", record_type::a}).response.code, rcode::refused);
}

TEST(server, a_name_that_does_not_fit_the_wire_is_a_failure) {
    server lab;
    lab.load(plan_with({}));
    for (const std::string& name : {std::string("a..b"), std::string(64, 'a'), std::string(300, '.')}) {
        EXPECT_EQ(lab.answer({name, record_type::a}).response.state, status::failure) << name;
    }
}

TEST(server, faults_hit_the_name_or_all_below_it) {
    server lab;
    lab.load(
        plan_with({{"york.cc", "@ IN A 10.0.0.1\nmail IN A 10.0.0.2\nmail IN MX 1 mail\nx.mail IN A 10.0.0.3\n"}}));
    EXPECT_TRUE(lab.set_fault({"Mail.York.CC", fault_kind::servfail, 0ns, fault_scope::name, record_type::a}));
    EXPECT_EQ(lab.answer({"mail.york.cc", record_type::a}).response.code, rcode::servfail);
    EXPECT_TRUE(lab.answer({"mail.york.cc", record_type::mx}).response.ok());
    EXPECT_EQ(address_of(lab, "x.mail.york.cc"), "10.0.0.3");

    EXPECT_TRUE(lab.set_fault({"york.cc", fault_kind::timeout, 0ns, fault_scope::subtree, std::nullopt}));
    EXPECT_TRUE(lab.answer({"x.mail.york.cc", record_type::a}).lost);
    EXPECT_EQ(lab.answer({"york.cc", record_type::a}).response.state, status::try_again);
    EXPECT_FALSE(lab.answer({"mail.york.cc", record_type::a}).lost) << "the fault of the name itself goes first";

    EXPECT_TRUE(lab.set_fault({"york.cc", fault_kind::slow, 5s, fault_scope::subtree, std::nullopt}));
    const auto slow = lab.answer({"x.mail.york.cc", record_type::a});
    EXPECT_EQ(slow.after, 5s);
    EXPECT_TRUE(slow.response.ok());

    EXPECT_TRUE(lab.clear_fault("york.cc"));
    EXPECT_FALSE(lab.clear_fault("york.cc"));
    EXPECT_EQ(lab.answer({"x.mail.york.cc", record_type::a}).after, 0s);
    EXPECT_FALSE(lab.set_fault({"a..b", fault_kind::timeout, 0ns, fault_scope::name, std::nullopt}));
}

TEST(server, a_stale_name_keeps_its_old_answer_through_replacement) {
    server lab;
    lab.load(plan_with({{"york.cc", "mail IN A 10.0.0.2\nwww IN A 10.0.0.3\n"}}));
    lab.set_fault({"mail.york.cc", fault_kind::stale, 0ns, fault_scope::name, std::nullopt});
    lab.replace_zone("york.cc", "mail IN A 10.0.0.12\nwww IN A 10.0.0.13\n");
    EXPECT_EQ(address_of(lab, "mail.york.cc"), "10.0.0.2");
    EXPECT_EQ(address_of(lab, "www.york.cc"), "10.0.0.13");
    lab.clear_fault("mail.york.cc");
    EXPECT_EQ(address_of(lab, "mail.york.cc"), "10.0.0.12");
}

TEST(server, a_view_shows_its_clients_other_zones) {
    server lab;
    lab.load(plan_with({{"york.cc", "mail IN A 192.0.2.1\n"}, {"ohio.cc", "mail IN A 192.0.2.2\n"}}));
    lab.put_zone({"york.cc",
                  "mail IN A 10.0.0.1\n",
                  "$TTL 60\n@ IN SOA ns h 1 2 3 4 5\n@ IN NS ns\nns IN A 10.0.0.9\n",
                  {},
                  security::insecure},
                 "inside");
    lab.choose_views_by([](std::string_view client) { return client.starts_with("10.") ? "inside" : ""; });
    EXPECT_EQ(address_of(lab, "mail.york.cc", "10.0.0.50"), "10.0.0.1");
    EXPECT_EQ(address_of(lab, "mail.york.cc", "192.0.2.50"), "192.0.2.1");
    EXPECT_EQ(address_of(lab, "mail.ohio.cc", "10.0.0.50"), "192.0.2.2");
}

TEST(server, answers_are_authenticated_when_every_zone_on_the_way_is_secure) {
    server lab;
    lab.load(plan_with(
        {{"safe.test", "mx IN A 10.0.0.1\nout IN CNAME x.open.test.\nover IN CNAME x.sure.test.\n", security::secure},
         {"sure.test", "x IN A 10.0.0.2\n", security::secure},
         {"open.test", "x IN A 10.0.0.3\nin IN CNAME mx.safe.test.\n"}}));
    const auto authenticated = [&](const char* name) {
        lookup way(question{name, record_type::a});
        while (!way.done()) way.feed(lab.answer(way.asked()).response);
        return way.result().authenticated;
    };
    EXPECT_TRUE(authenticated("mx.safe.test"));
    EXPECT_TRUE(authenticated("gone.safe.test"));
    EXPECT_TRUE(authenticated("over.safe.test"));
    EXPECT_FALSE(authenticated("out.safe.test"));
    EXPECT_FALSE(authenticated("in.open.test"));
    EXPECT_FALSE(authenticated("nowhere.test"));
}

}  // namespace
}  // namespace sim::dns
