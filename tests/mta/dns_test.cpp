#include "mta/dns.hpp"

#include <gtest/gtest.h>

namespace mta::dns {
namespace {

response reply(rcode code, std::vector<record> answers = {}) {
    response made;
    made.code = code;
    made.state = status_of(code);
    made.answers = std::move(answers);
    if (!made.answers.empty() && made.answers.back().type != record_type::cname) made.state = status::ok;
    return made;
}

record alias(std::string owner, std::string target) {
    record made;
    made.owner = std::move(owner);
    made.type = record_type::cname;
    made.target = std::move(target);
    return made;
}

TEST(dns, types_have_names_and_codes_both_ways) {
    for (const auto type :
         {record_type::a, record_type::aaaa, record_type::mx, record_type::ns, record_type::cname, record_type::ptr,
          record_type::txt, record_type::soa, record_type::srv, record_type::tlsa}) {
        EXPECT_EQ(type_named(name_of(type)), type);
        EXPECT_EQ(type_of_code(code_of(type)), type);
    }
    EXPECT_EQ(type_named("tlsa"), record_type::tlsa);
    EXPECT_FALSE(type_named("ANY"));
    EXPECT_FALSE(type_of_code(255));
}

TEST(dns, names_for_reverse_lookup_and_dnsbls) {
    EXPECT_EQ(reverse_name("192.0.2.17"), "17.2.0.192.in-addr.arpa");
    EXPECT_EQ(reverse_name("2001:db8::1"), "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa");
    EXPECT_EQ(dnsbl_name("10.94.0.50", "brokenbl.example"), "50.0.94.10.brokenbl.example");
    for (const auto wrong : {"", "1.2.3", "1.2.3.4.5", "01.2.3.4", "mail", "1.2.3.4 ", "::g"}) {
        EXPECT_FALSE(reverse_name(wrong)) << wrong;
    }
    EXPECT_FALSE(reverse_name(std::string_view("1.2.3.4\0x", 9)));
    EXPECT_EQ(canonical_address("2001:DB8:0::0:1"), "2001:db8::1");
}

TEST(dns, host_names_as_postfix_takes_them) {
    for (const auto good :
         {"a", "mail.york.cc", "_dmarc.york.cc", "*.york.cc", "1.2.3.4.bl.example", "a-b", ".", "3com.com"}) {
        EXPECT_TRUE(is_valid_hostname(good)) << good;
    }
    for (const auto bad :
         {"", "a.", ".a", "a..b", "-a", "a-", "a.-b", "1.2.3.4", "1.2.3", "::1", "a b", "a*b", "caf\xc3\xa9"}) {
        EXPECT_FALSE(is_valid_hostname(bad)) << bad;
    }
    EXPECT_FALSE(is_valid_hostname(std::string(64, 'a')));
}

TEST(dns, labels_know_escapes) {
    EXPECT_EQ(labels_of("a\\.b.c\\046d.e."), (std::vector<std::string_view>{"a\\.b", "c\\046d", "e"}));
    EXPECT_TRUE(labels_of("").empty());
    EXPECT_TRUE(labels_of(".").empty());
    EXPECT_EQ(label_bytes("c\\046d\\\\"), "c.d\\");
    EXPECT_EQ(escaped_label("c.d\\ \x7f"), "c\\.d\\\\\\032\\127");
    EXPECT_TRUE(same_name("York.cc.", "york.CC"));
    EXPECT_FALSE(same_name("york.cc", "york.cc.x"));
}

TEST(dns, names_that_do_not_fit_the_wire) {
    EXPECT_EQ(wire_sized("York.cc."), "York.cc");
    EXPECT_EQ(wire_sized("."), "");
    EXPECT_EQ(wire_sized(std::string(63, 'a')), std::string(63, 'a'));
    EXPECT_EQ(wire_sized("\\097\\097"), "\\097\\097");
    const std::string label(49, 'a');
    const std::string longest = label + "." + label + "." + label + "." + label + "." + label.substr(0, 49) + ".aaa";
    EXPECT_EQ(wire_sized(longest), longest);  // 255 bytes on the wire
    for (const std::string& wrong : {longest + "a", std::string("a..b"), std::string(".."), std::string(64, 'a')}) {
        EXPECT_FALSE(wire_sized(wrong)) << wrong;
    }
}

TEST(dns, codes_mean_what_the_stub_resolver_makes_of_them) {
    EXPECT_EQ(status_of(rcode::refused), status::try_again);
    EXPECT_EQ(status_of(rcode::notimp), status::try_again);
    EXPECT_EQ(status_of(rcode::formerr), status::failure);
    EXPECT_EQ(status_of(static_cast<rcode>(9)), status::failure);
    EXPECT_EQ(explain({"x.example", record_type::a}, status::failure),
              "Host or domain name not found. Name service error for name=x.example type=A: Non-recoverable error");
    EXPECT_EQ(explain({"x.example", record_type::mx}, status::malformed),
              "Name service error for name=x.example type=MX: Malformed or unexpected name server reply");
}

TEST(dns, lookup_refuses_a_bad_name_without_asking) {
    const lookup way(question{"a..b", record_type::a});
    EXPECT_TRUE(way.done());
    EXPECT_EQ(explain(way.asked(), way.result().state), "Name service error for a..b: invalid host or domain name");
}

TEST(dns, lookup_follows_an_alias_and_collects_the_chain) {
    lookup way(question{"a.cc", record_type::a});
    way.feed(reply(rcode::noerror, {alias("a.cc", "b.cc")}));
    ASSERT_FALSE(way.done());
    EXPECT_EQ(way.asked().name, "b.cc");
    record address;
    address.owner = "b.cc";
    address.address = "192.0.2.1";
    way.feed(reply(rcode::noerror, {address}));
    EXPECT_TRUE(way.done());
    EXPECT_TRUE(way.result().ok());
    EXPECT_EQ(way.result().answers.size(), 2u);
    EXPECT_EQ(records_of(way.result(), record_type::a), std::vector<record>{address});
}

TEST(dns, lookup_does_not_follow_an_alias_asked_for_or_one_that_failed) {
    lookup wanted(question{"a.cc", record_type::cname});
    auto direct = reply(rcode::noerror, {alias("a.cc", "b.cc")});
    direct.state = status::ok;
    wanted.feed(direct);
    EXPECT_TRUE(wanted.done() && wanted.result().ok());
    lookup dangling(question{"a.cc", record_type::a});
    dangling.feed(reply(rcode::nxdomain, {alias("a.cc", "b.cc")}));
    EXPECT_TRUE(dangling.done());
    EXPECT_EQ(dangling.asked().name, "a.cc");
}

TEST(dns, lookup_gives_up_after_ten_questions) {
    lookup way(question{"a.cc", record_type::a});
    int questions = 0;
    for (; !way.done() && questions < 100; ++questions) {
        const bool even = way.asked().name == "a.cc";
        way.feed(reply(rcode::noerror, {even ? alias("a.cc", "b.cc") : alias("b.cc", "a.cc")}));
    }
    EXPECT_EQ(questions, 10);
    EXPECT_EQ(explain(way.asked(), way.result().state), "Name server loop for a.cc");
}

}  // namespace
}  // namespace mta::dns
