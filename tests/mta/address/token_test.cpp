#include "mta/address/token.hpp"

#include <gtest/gtest.h>

#include "mta/address/header_addresses.hpp"
#include "mta/address/quote.hpp"
#include "mta/address/rewrite.hpp"
#include "mta/text/strings.hpp"

namespace mta::address {
namespace {

std::vector<std::string> addresses(std::string_view text) {
    std::vector<std::string> found;
    const token_list tokens = parse_addresses(text);
    for (const token* address : addresses_in(tokens)) found.push_back(internalize(address->children));
    return found;
}
using list = std::vector<std::string>;

TEST(token, addresses_stand_apart_from_phrases_comments_and_groups) {
    EXPECT_EQ(addresses("Joe Blow <joe@x.y>, (c (n)) \"q\\\"s\" <u@d>, x@[1.2.3.4]"),
              (list{"joe@x.y", "u@d", "x@[1.2.3.4]"}));
    EXPECT_EQ(addresses("friends: a@b, c; d@e"), (list{"a@b", "c", "d@e"}));
    EXPECT_EQ(addresses("a.b(c)@d"), (list{"a.b@d"}));
    EXPECT_EQ(addresses("x:;"), list{});
    EXPECT_EQ(addresses(""), list{});
}

TEST(token, missing_commas_are_added) {
    EXPECT_EQ(addresses("a b@c"), (list{"a", "b@c"}));
    EXPECT_EQ(addresses("<a@b> <c@d>"), (list{"a@b", "c@d"}));
}

TEST(token, what_is_not_closed_ends_with_the_text) {
    EXPECT_EQ(externalize(parse_addresses("\"a")), "a");
    EXPECT_EQ(externalize(parse_addresses("[1.2")), "\"[1.2]\"");
    EXPECT_EQ(externalize(parse_addresses("(a")), "(a");
    EXPECT_EQ(externalize(parse_addresses("<a@b")), "\"<a\"@b");
}

TEST(token, external_form_has_the_quotes_that_internal_form_lacks) {
    const auto tokens = parse_addresses("Joe \"x\\\"y\" <\"a b\"@c>, a\\ b@d (note)");
    EXPECT_EQ(internalize(tokens), "Joe x\"y <a b@c>, a b@d (note)");
    EXPECT_EQ(externalize(tokens), "Joe \"x\\\"y\" <\"a b\"@c>, \"a b\"@d (note)");
    EXPECT_EQ(externalize(tokens, token_print::one_a_line), "Joe \"x\\\"y\" <\"a b\"@c>,\n\"a b\"@d (note)");
}

TEST(token, the_limit_counts_tokens) {
    EXPECT_EQ(externalize(parse_addresses("a@b, c@d, e@f", 6)), "a@b, c@");
}

TEST(token, a_nul_ends_the_text) {
    EXPECT_EQ(addresses(std::string_view("a@b\0,c@d", 8)), (list{"a@b"}));
}

TEST(token, deep_comments_cost_no_stack) {
    const std::string deep(200000, '(');
    EXPECT_EQ(internalize(parse_addresses(deep + "x")), deep + "x");
}

TEST(header_addresses, recipients_for_sendmail) {
    EXPECT_EQ(recipients_in_header(" Joe <joe@x.y>,\n\t\"a b\"@c (d), grp: e@f;", 1000),
              (list{"joe@x.y", "a b@c", "e@f"}));
}

std::string complete(std::string_view address) {
    return address.find('@') == std::string_view::npos ? std::string(address) + "@here.test" : std::string(address);
}

TEST(header_addresses, an_unchanged_header_keeps_its_layout) {
    const auto header = rewrite_header("To", "  a@b ,\n   c@d", 1000, complete);
    EXPECT_FALSE(header.changed);
    EXPECT_EQ(header.text, "To:  a@b ,\n   c@d");
}

TEST(header_addresses, a_changed_header_is_printed_anew_with_its_comments) {
    const auto header = rewrite_header("To", " joe (Joe) ,\n  \"A. B\"  <ann>, (x) c@d", 1000, complete);
    EXPECT_TRUE(header.changed);
    EXPECT_EQ(header.text, "To: joe@here.test (Joe), \"A. B\" <ann@here.test>, c@d (x)");
}

// All texts of up to seven of these characters: what is plain comes through every step as it is.
TEST(token, plain_addresses_scan_print_and_rewrite_to_themselves) {
    constexpr std::string_view alphabet = "a.@-%!";
    const rewrite_context context{"origin.test", "domain.test"};
    rewrite_rules rules;
    rules.append_dot_mydomain = true;
    std::size_t plain = 0;
    std::vector<std::string> texts = {""};
    for (std::size_t at = 0; at < texts.size(); ++at) {
        const std::string text = texts[at];
        if (text.size() < 7) {
            for (const char each : alphabet) texts.push_back(text + each);
        }
        if (!is_plain(text)) continue;
        ++plain;
        token_list tokens = scan(text);
        EXPECT_EQ(internalize(tokens), text);
        EXPECT_EQ(addresses("<" + text + ">"), list{text});
        rewrite_tokens(tokens, context, rules);
        EXPECT_EQ(internalize(tokens), text);
        EXPECT_EQ(quote_822_local(text), text);
        EXPECT_EQ(unquote_822_local(text), text);
    }
    EXPECT_GT(plain, 100u);
    for (const char* other :
         {"a@b", "a@b.", "a@.b.c", "a..b@c.d", "a b@c.d", "a@b@c.d", "\"a\"@c.d", "a@[1.2]", "@a.b", "\xc3\xa9@a.b"})
        EXPECT_FALSE(is_plain(other)) << other;
}

TEST(header_addresses, lines_hold_as_many_addresses_as_fit) {
    std::string value;
    for (int i = 0; i < 8; ++i) value += (i > 0 ? ", user" : " user") + std::to_string(i);
    const auto header = rewrite_header("To", value, 1000, complete);
    EXPECT_EQ(header.text,
              "To: user0@here.test, user1@here.test, user2@here.test,\n\tuser3@here.test, user4@here.test, "
              "user5@here.test, user6@here.test,\n\tuser7@here.test");
}

TEST(header_addresses, more_than_250_characters_of_comments_are_dropped) {
    const std::string word(242, 'j');
    const auto kept = rewrite_header("To", word.substr(1) + " \"a b\" <x>", 1000, complete);
    EXPECT_TRUE(kept.warnings.empty());
    const auto stripped = rewrite_header("To", word + " \"a b\" <x>", 1000, complete);
    EXPECT_EQ(stripped.text, "To: <x@here.test>");
    EXPECT_EQ(stripped.warnings, (list{"stripping too many comments from address: " + word.substr(0, 100) + "..."}));
}

}  // namespace
}  // namespace mta::address
