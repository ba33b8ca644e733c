#include "sim/scenario/filter.hpp"

#include <gtest/gtest.h>

namespace sim::scenario {
namespace {

using enum topology::filter_action;

topology::filter_rule rule(std::string match, topology::filter_action action) {
    topology::filter_rule result;
    result.at = {"lab.yaml", 7, 3};
    result.match = std::move(match);
    result.action = action;
    return result;
}
topology::filter filter(std::vector<topology::filter_rule> rules) {
    topology::filter result;
    result.name = "spam";
    result.rules = std::move(rules);
    return result;
}

TEST(content_filter, lets_a_message_go_on_as_it_is) {
    const auto outcome = content_filter(filter({rule("never", reject)})).apply("Subject: x\n\nb\xff\n");
    EXPECT_EQ(outcome.action, accept);
    EXPECT_EQ(outcome.exit_status, 0);
    EXPECT_EQ(outcome.text, "Subject: x\n\nb\xff\n");
    EXPECT_EQ(content_filter(filter({})).apply("").text, "");
}

TEST(content_filter, puts_the_rules_header_above_its_own) {
    auto with_header = rule("x", accept);
    with_header.header = "X-Rule: 1";
    auto rules = filter({with_header, rule("y", accept)});
    rules.header = "X-Filter: 1";
    EXPECT_EQ(content_filter(rules).apply("x\n").text, "X-Rule: 1\nX-Filter: 1\nx\n");
    EXPECT_EQ(content_filter(rules).apply("y\n").text, "X-Filter: 1\ny\n");
    EXPECT_EQ(content_filter(rules).apply("z\n").text, "X-Filter: 1\nz\n");
}

TEST(content_filter, adds_its_footer_to_plain_text_only) {
    topology::filter rules;
    rules.footer = "-- \nThe company is not bound by this.";
    const content_filter filter(rules);
    const std::string added = "-- \nThe company is not bound by this.\n";
    for (const std::string plain :
         {"Subject: a\n\ntext\n", "content-type: TEXT/plain\nContent-Transfer-Encoding: 8bit\n\nx\n", "\nx\n"})
        EXPECT_EQ(filter.apply(plain).text, plain + added);
    for (const std::string other :
         {"Content-Type:\n multipart/mixed; boundary=b\n\n--b--\n", "Content-Transfer-Encoding: Base64\n\nYQ==\n"})
        EXPECT_EQ(filter.apply(other).text, other);
}

TEST(content_filter, ends_as_its_first_rule_that_fits_says) {
    auto said = rule("b", reject);
    said.text = "no spam";
    auto later = rule("c", tempfail);
    later.text = "busy";
    const content_filter all(
        filter({rule("a", reject), said, rule("d", tempfail), later, rule("e", discard), rule("", reject)}));
    const auto check = [&](std::string_view message, topology::filter_action action, int status,
                           std::string_view text) {
        const auto outcome = all.apply(message);
        EXPECT_EQ(outcome.action, action) << message;
        EXPECT_EQ(outcome.exit_status, status) << message;
        EXPECT_EQ(outcome.text, text) << message;
    };
    check("a b", reject, 69, "message content rejected\n");
    check("b c", reject, 69, "no spam\n");
    check("d", tempfail, 75, "try again later\n");
    check("c", tempfail, 75, "busy\n");
    check("e", discard, 0, "");
    check("-", reject, 69, "message content rejected\n");
}

TEST(content_filter, defers_what_is_too_costly_to_search) {
    const auto outcome = content_filter(filter({rule("^(a+)+$", discard)})).apply(std::string(50, 'a') + "!");
    EXPECT_EQ(outcome.action, tempfail);
    EXPECT_EQ(outcome.exit_status, 75);
    EXPECT_EQ(outcome.text, "filter spam: the pattern at lab.yaml:7:3 is too costly for this message\n");
}

TEST(check_filter, finds_bad_patterns_with_their_place) {
    EXPECT_TRUE(check_filter(filter({rule("a", reject), rule("", accept)})).empty());
    const auto problems = check_filter(filter({rule("a", reject), rule("x[", reject), rule("\\y", accept)}));
    ASSERT_EQ(problems.size(), 2u);
    EXPECT_EQ(problems[0].at, (topology::position{"lab.yaml", 7, 3}));
    EXPECT_EQ(problems[0].text,
              "filter spam: the pattern \"x[\" is no regular expression: unterminated character set at its character "
              "2; correct it "
              "(the syntax is that of Python's re)");
}

}  // namespace
}  // namespace sim::scenario
