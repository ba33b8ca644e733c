// Pattern lists: mydestination, mynetworks and their like.
#include "mta/table/match_list.hpp"

#include "tests/mta/table/fixture.hpp"

namespace mta::table {
namespace {

class pattern_lists : public table_test {
  protected:
    template <class List>
    List make(std::string_view title, std::string_view patterns, parent_style style = parent_style::dot_parent) {
        found.clear();
        return List(title, patterns, known, host, found, style);
    }
    std::vector<diagnostic> found;
};

TEST_F(pattern_lists, domains_match_whole_or_by_parent) {
    const auto exact = make<domain_list>("mydestination", "Here.example, .sub.example");
    EXPECT_TRUE(exact.match("HERE.example").matched());
    EXPECT_FALSE(exact.match("a.here.example").matched());
    EXPECT_TRUE(exact.match("a.b.sub.example").matched());
    EXPECT_FALSE(exact.match("sub.example").matched());
    const auto parents = make<domain_list>("relay_domains", "here.example .sub.example", parent_style::bare_parent);
    EXPECT_TRUE(parents.match("a.here.example").matched());
    EXPECT_FALSE(parents.match("ahere.example").matched());
    EXPECT_FALSE(parents.match("a.sub.example").matched());
}

TEST_F(pattern_lists, the_first_match_decides_and_may_exclude) {
    const auto list =
        make<domain_list>("relay_domains", "!no.here.example, here.example, !!yes.example", parent_style::bare_parent);
    EXPECT_FALSE(list.match("x.no.here.example").matched());
    EXPECT_EQ(list.match("x.no.here.example").pattern, "!no.here.example");
    EXPECT_TRUE(list.match("x.here.example").matched());
    EXPECT_TRUE(list.match("yes.example").matched());
    EXPECT_EQ(list.match("other.example").pattern, "");
}

TEST_F(pattern_lists, files_and_tables_stand_for_patterns) {
    files = {{"/list", "# comment\na.example, b.example\n!c.example\n"}, {"/t", "x.example 1\n.y.example 1\n"}};
    const auto list = make<domain_list>("mydestination", "/list, hash:/t, regexp:{{/^re[0-9]/ x}}");
    EXPECT_EQ(list.match("b.example").where, (position{"/list", 2}));
    EXPECT_EQ(list.match("c.example").pattern, "!c.example");
    EXPECT_EQ(list.match("x.example").where, (position{"/t", 1}));
    EXPECT_FALSE(list.match("a.x.example").matched());
    EXPECT_TRUE(list.match("a.y.example").matched());
    EXPECT_TRUE(list.match("re1.example").matched());
    EXPECT_FALSE(list.match("a.re1").matched());
    const auto negated = make<domain_list>("mydestination", "!/list, static:x");
    EXPECT_FALSE(negated.match("a.example").matched());
    EXPECT_TRUE(negated.match("c.example").matched());
}

TEST_F(pattern_lists, what_cannot_be_read_fails_at_its_place) {
    const auto list = make<domain_list>("mydestination", "first.example, /nofile/x");
    EXPECT_EQ(found.at(0).text, "open file /nofile/x: No such file or directory");
    EXPECT_TRUE(list.match("first.example").matched());
    const list_match failed = list.match("other.example");
    EXPECT_TRUE(failed.failed());
    EXPECT_EQ(failed.warnings,
              (strings{"non-existent:/nofile/x is unavailable. open file /nofile/x: No such file or directory",
                       "mydestination: non-existent:/nofile/x: table lookup problem"}));
    const auto excluded = make<domain_list>("mydestination", "!fail:x");
    EXPECT_EQ(excluded.match("a").warnings, strings{"mydestination: fail:x: table lookup problem"});
    EXPECT_TRUE(excluded.match("a").failed());
    files["/self"] = "/self /self /self\n";
    EXPECT_TRUE(make<domain_list>("mydestination", "/self").match("a").failed());
}

TEST_F(pattern_lists, networks) {
    const auto list =
        make<name_address_list>("mynetworks", "127.0.0.0/8, [::1]/128 [2001:db8::]/32 192.0.2.7 !10.0.0.1 10.0.0.0/8",
                                parent_style::bare_parent);
    for (const auto* const inside : {"127.0.0.1", "::1", "2001:DB8::9", "192.0.2.7", "10.0.0.2"}) {
        EXPECT_TRUE(list.match("unknown", inside).matched()) << inside;
    }
    for (const auto* const outside : {"128.0.0.1", "::2", "192.0.2.8", "10.0.0.1"}) {
        EXPECT_FALSE(list.match("unknown", outside).matched()) << outside;
    }
    EXPECT_TRUE(make<name_address_list>("debug_peer_list", "example.com", parent_style::bare_parent)
                    .match("mx.example.com", "192.0.2.1")
                    .matched());
    EXPECT_TRUE(make<address_list>("proxy_interfaces", "[192.0.2.1]").match("192.0.2.1").matched());
    EXPECT_TRUE(make<address_list>("mynetworks", "cidr:{{192.0.2.0/24 x}}").match("192.0.2.1").matched());
}

TEST_F(pattern_lists, a_wrong_network_fails_in_postfix_words) {
    const auto wrong = make<name_address_list>("mynetworks", "192.168.171.1/24");
    EXPECT_EQ(
        wrong.match("unknown", "192.168.171.66").warnings,
        strings{
            R"(mynetworks: non-null host address bits in "192.168.171.1/24", perhaps you should use "192.168.171.0/24" instead)"});
    EXPECT_FALSE(wrong.match("unknown", "::1").failed());
    // A bad address without a mask is taken for a name.
    EXPECT_FALSE(make<name_address_list>("mynetworks", "10.71.0.300").match("unknown", "10.71.0.5").failed());
}

TEST_F(pattern_lists, strings_match_exactly) {
    const auto list = make<string_list>("authorized_submit_users", "!root, user@example.com, static:all");
    EXPECT_FALSE(list.match("ROOT").matched());
    EXPECT_EQ(list.match("User@example.com").pattern, "user@example.com");
    EXPECT_EQ(list.match("else").pattern, "static:all");
}

TEST_F(pattern_lists, mistakes_in_the_list) {
    make<string_list>("x_list", "a # b c");
    EXPECT_EQ(found.at(0).text, "x_list: comment at end of line is not supported: # b c");
    make<string_list>("x_list", "a, !");
    EXPECT_EQ(found.at(0).text, "x_list: no pattern after '!'");
    EXPECT_EQ(found.at(0).level, severity::fatal);
}

TEST_F(pattern_lists, parent_matching_is_chosen_by_parameter) {
    EXPECT_EQ(parent_style_of("relay_domains", "debug_peer_list, relay_domains"), parent_style::bare_parent);
    EXPECT_EQ(parent_style_of("mydestination", "debug_peer_list, relay_domains"), parent_style::dot_parent);
}

}  // namespace
}  // namespace mta::table
