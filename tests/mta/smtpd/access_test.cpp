// The parts of access decisions that are plain functions: reply filters of DNS lists, status codes, footers, names.
#include <gtest/gtest.h>

#include <string>

#include "mta/smtpd/access_evaluation.hpp"
#include "mta/smtpd/access_reply.hpp"
#include "mta/smtpd/dnsbl_filter.hpp"

namespace mta::smtpd {
namespace {

TEST(dnsbl_filter, matches_octets_choices_and_ranges) {
    const auto parsed = dnsbl_filter::parse("127.0.[0;4].[2;4..8]");
    ASSERT_TRUE(parsed.filter) << parsed.error;
    for (const char* each : {"127.0.0.2", "127.0.4.4", "127.0.0.8"}) EXPECT_TRUE(parsed.filter->matches(each)) << each;
    for (const char* each : {"127.0.0.3", "127.0.1.2", "126.0.0.2", "127.0.0.9", "::1", "x"})
        EXPECT_FALSE(parsed.filter->matches(each)) << each;
}

// Texts as recorded from Postfix 3.7.11.
TEST(dnsbl_filter, says_what_is_wrong_where) {
    const struct {
        const char* text;
        const char* error;
    } cases[] = {
        {"127.0.0.[1;x]", "need decimal number 0..255 at \"127.0.0.[1;>x<]\""},
        {"127.0.0", "need \".\" at \"127.0.0><\""},
        {"", "empty address pattern"},
        {"127.0.0.[3..1]", "numeric range error at \"127.0.0.[3..>1<]\""},
        {"127.0.0.300", "need decimal number 0..255 or \"[\" at \"127.0.0.>300<\""},
        {"127.0.0.[2;3.1", "numeric range error at \"127.0.0.[2;3.>1<\""},
        {"[127;128].0..3.0.2", "need decimal number 0..255 or \"[\" at \"[127;128].0.>.<3.0.2\""},
    };
    for (const auto& each : cases) {
        const auto parsed = dnsbl_filter::parse(each.text);
        EXPECT_FALSE(parsed.filter) << each.text;
        EXPECT_EQ(parsed.error, each.error);
    }
}

TEST(access_reply, splits_a_status_only_where_one_stands_alone) {
    const auto with = split_status("5.7.99  go away", "5.7.1");
    EXPECT_EQ(with.status, "5.7.99");
    EXPECT_EQ(with.text, "go away");
    for (const char* text : {"5.1.1.1 x", "5.7 x", "3.1.1 x", "5.7.1234 x", "x"}) {
        const auto without = split_status(text, "5.7.1");
        EXPECT_EQ(without.status, "5.7.1") << text;
        EXPECT_EQ(without.text, text);
    }
}

TEST(access_reply, address_status_fits_what_the_reply_is_about) {
    EXPECT_EQ(fitting_status("5.1.1", reply_class::sender), "5.1.7");
    EXPECT_EQ(fitting_status("5.1.2", reply_class::sender), "5.1.8");
    EXPECT_EQ(fitting_status("4.1.8", reply_class::recipient), "4.1.2");
    EXPECT_EQ(fitting_status("5.1.10", reply_class::recipient), "5.1.0");
    EXPECT_EQ(fitting_status("5.1.1", reply_class::helo), "5.0.0");
    EXPECT_EQ(fitting_status("5.2.2", reply_class::helo), "5.2.2");
    EXPECT_EQ(fitting_status("5.7.1", reply_class::client), "5.7.1");
}

TEST(access_reply, footers_repeat_the_codes_on_each_line) {
    EXPECT_EQ(add_footer("454 4.7.1 no", "call us\\n or not"),
              "454-4.7.1 no\r\n454-4.7.1 call us\r\n454 4.7.1  or not");
    EXPECT_EQ(add_footer("500 5.5.2 what", "\\c; ask"), "500 5.5.2 what; ask");
    EXPECT_EQ(add_footer("459 no", "more"), "459-no\r\n459 more");
}

TEST(access_reply, templates_show_only_what_they_may) {
    const reply_lookup find = [](std::string_view name) -> std::optional<std::string> {
        if (name == "what") return std::string("a<b\x01");
        return std::nullopt;
    };
    const expansion made = expand_reply("$what ${none?x} $$", find, "ab<");
    EXPECT_EQ(made.text, "a<b_  $");
    EXPECT_FALSE(made.bad);
    ASSERT_FALSE(made.unknown.empty());
    EXPECT_EQ(made.unknown.front(), "none");
    EXPECT_TRUE(expand_reply("${what", find, "ab<").bad);
}

TEST(restrictions, are_found_in_any_case_and_by_old_names) {
    ASSERT_NE(find_restriction("REJECT_Unauth_Destination"), nullptr);
    EXPECT_EQ(find_restriction("reject_unknown_client")->at_once,
              find_restriction("reject_unknown_client_hostname")->at_once);
    EXPECT_EQ(find_restriction("reject_unauth_destinatio"), nullptr);
    EXPECT_EQ(find_restriction(""), nullptr);
}

}  // namespace
}  // namespace mta::smtpd
