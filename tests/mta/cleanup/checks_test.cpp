// The actions of header_checks(5), as real Postfix took them.
#include "mta/cleanup/checks.hpp"

#include <gtest/gtest.h>

namespace mta::cleanup {
namespace {

check of_header(std::string_view entry) {
    return parse_check(entry, check_place::header, "header_checks");
}

TEST(checks, a_reject_has_a_reason_with_a_status) {
    EXPECT_EQ(of_header("REJECT").text, "5.7.1 message content rejected");
    EXPECT_EQ(of_header("reject  no such thing").text, "5.7.1 no such thing");
    EXPECT_EQ(of_header("REJECT 5.6.1 with a code").text, "5.6.1 with a code");
    EXPECT_EQ(of_header("REJECT 4.6.2 later").text, "4.6.2 later");
    EXPECT_EQ(of_header("REJECT 5.6 is no code").text, "5.7.1 5.6 is no code");
}

TEST(checks, a_reject_that_is_no_failure_becomes_a_soft_one) {
    const check odd = of_header("REJECT 2.0.0 odd code");
    EXPECT_EQ(odd.text, "4.0.0 odd code");
    EXPECT_EQ(odd.warning, "bad DSN action in 2.0.0 odd code -- need 4.x.x or 5.x.x");
}

TEST(checks, what_lacks_its_text_does_nothing_and_says_so) {
    struct row {
        const char *entry, *warning;
    };
    const row rows[] = {
        {"FILTER", "missing FILTER command argument in header_checks map"},
        {"FILTER nocolon", "bad FILTER command nocolon in header_checks -- need transport:destination"},
        {"PREPEND", "PREPEND action without text in header_checks map"},
        {"PREPEND no header",
         "bad PREPEND header text \"no header\" in header_checks map -- need \"headername: headervalue\""},
        {"REPLACE", "REPLACE action without text in header_checks map"},
        {"REDIRECT cay", "bad REDIRECT target \"cay\" in header_checks map -- need user@domain"},
        {"BCC cay", "bad BCC address \"cay\" in header_checks map -- need user@domain"},
        {"DELAY 1h", "unknown command in header_checks map: DELAY 1h"},
        {"NONSENSE text", "unknown command in header_checks map: NONSENSE text"},
    };
    for (const row& each : rows) {
        const check result = of_header(each.entry);
        EXPECT_EQ(result.action, check_action::none) << each.entry;
        EXPECT_EQ(result.warning, each.warning);
    }
}

TEST(checks, a_body_line_may_be_replaced_by_anything) {
    const check result = parse_check("REPLACE no header", check_place::body, "body_checks");
    EXPECT_EQ(result.action, check_action::replace);
    EXPECT_EQ(result.text, "no header");
}

TEST(checks, a_status_code_is_told_from_other_numbers) {
    for (const char* text : {"5.7.1", "4.0.0 x", "2.123.999 y"}) {
        std::string_view rest = text;
        EXPECT_FALSE(take_status(rest).empty()) << text;
    }
    for (const char* text : {"", "5", "5.7", "5.7.", "5.7.1x", "3.1.1 x", "5.1234.1 x", "50.1.1"}) {
        std::string_view rest = text;
        EXPECT_TRUE(take_status(rest).empty()) << text;
        EXPECT_EQ(rest, text);
    }
}

}  // namespace
}  // namespace mta::cleanup
