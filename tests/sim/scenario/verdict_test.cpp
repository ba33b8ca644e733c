#include "sim/scenario/verdict.hpp"

#include <gtest/gtest.h>

#include "tests/sim/scenario/fake_evidence.hpp"

namespace sim::scenario {
namespace {

class verdicts : public testing::Test {
  protected:
    verdicts() {
        facts.all_deliveries = {{{},
                                 "kimchen@york.cc",
                                 "kimchen@york.cc",
                                 "z@york.cc",
                                 "mail.york.cc",
                                 {"smtp.6circles.cc", "mail.york.cc"}},
                                {{}, "kimchen@york.cc", "kimchen@york.cc", "", "mail.york.cc", {"mail.york.cc"}}};
        facts.all_bounces = {
            {{}, "nobody@york.cc", "alias@york.cc", "z@york.cc", "mail.york.cc", "5.1.1", "unknown user: \"nobody\""}};
        facts.all_refusals = {{{},
                               "dialup.isp.example",
                               "mail.ohio.cc",
                               "a@b",
                               "victim@elsewhere.example",
                               "RCPT",
                               "554 5.7.1 <victim@elsewhere.example>: Relay access denied"}};
        facts.logs["mail.ohio.cc"] = {
            "Nov 20 mail postfix/smtp[7]: 4C1: to=<late@york.cc>, relay=none, status=deferred (no route)",
            "Nov 20 mail postfix/smtp[7]: 4C2: to=<kimchen@york.cc>, status=sent (250 Ok)"};
        facts.logs["mail.york.cc"] = {
            "Nov 20 mail postfix/local[7]: 4C3: to=<kimchen@york.cc>, status=sent (delivered to mailbox)"};
        facts.queues["mail.ohio.cc"] = {0, 1, 2, 3};
        facts.boxes[{"mail.york.cc", "kimchen"}] = {"Subject: one\nX-Spam: no,\n maybe\n\nHello.\n",
                                                    "Subject: two\n\nBye.\n"};
    }
    template <class Claim>
    verdict of(Claim claim) {
        return judge({{"lab.yaml", 12, 5}, std::move(claim)}, facts);
    }
    template <class Claim>
    void holds(Claim claim, std::string_view found) {
        const verdict v = of(std::move(claim));
        EXPECT_TRUE(v.held) << to_string(v);
        EXPECT_EQ(v.found, found);
        EXPECT_EQ(v.nearest, "");
    }
    template <class Claim>
    void fails(Claim claim, std::string_view found, std::string_view nearest) {
        const verdict v = of(std::move(claim));
        EXPECT_FALSE(v.held) << to_string(v);
        EXPECT_EQ(v.found, found);
        EXPECT_EQ(v.nearest, nearest);
    }
    tests::fake_evidence facts;
};

TEST_F(verdicts, delivered_holds) {
    holds(delivered{"kimchen@york.cc", {}, {}, {}, {}}, "2 deliveries");
    holds(delivered{"Kimchen@York.cc", "", "mail.york.cc", {"mail.york.cc"}, 1}, "1 delivery");
    holds(delivered{"kimchen@york.cc", "z@york.cc", {}, {"smtp.6circles.cc", "mail.york.cc"}, {}}, "1 delivery");
    holds(delivered{"other@york.cc", {}, {}, {}, 0}, "no deliveries");
}

TEST_F(verdicts, delivered_fails_with_what_came_nearest) {
    fails(delivered{"kimchen@york.cc", {}, {}, {"smtp.6circles.cc", "mail.ohio.cc", "mail.york.cc"}, {}},
          "no deliveries", "delivered to kimchen@york.cc, but by hops smtp.6circles.cc, mail.york.cc");
    fails(delivered{"kimchen@york.cc", "x@y", "mail.ohio.cc", {}, {}}, "no deliveries",
          "delivered to kimchen@york.cc, but from <z@york.cc> and at mail.york.cc");
    fails(delivered{"kimchen@york.cc", {}, {}, {}, 1}, "2 deliveries, not 1", "delivered to kimchen@york.cc");
    fails(delivered{"kimchen@york.cc", {}, {}, {}, 0}, "2 deliveries, not 0", "delivered to kimchen@york.cc");
    fails(delivered{"alias@york.cc", {}, {}, {}, {}}, "no deliveries",
          "bounced by mail.york.cc: 5.1.1 unknown user: \"nobody\"");
    fails(delivered{"victim@elsewhere.example", {}, {}, {}, {}}, "no deliveries",
          "refused by mail.ohio.cc: 554 5.7.1 <victim@elsewhere.example>: Relay access denied");
    fails(delivered{"late@york.cc", {}, {}, {}, {}}, "no deliveries", "mail.ohio.cc: " + facts.logs["mail.ohio.cc"][0]);
    fails(delivered{"kimchem@york.cc", {}, {}, {}, {}}, "no deliveries", "there is kimchen@york.cc");
    fails(delivered{"quite-another@somewhere.example", {}, {}, {}, {}}, "no deliveries", "");
}

TEST_F(verdicts, bounced_holds) {
    holds(bounced{"nobody@york.cc", {}, {}, {}, {}}, "1 bounce");
    holds(bounced{"alias@york.cc", "mail.york.cc", "5.1.*", "unknown user*", 1}, "1 bounce");
    holds(bounced{"kimchen@york.cc", {}, {}, {}, 0}, "no bounces");
}

TEST_F(verdicts, bounced_fails_with_what_came_nearest) {
    fails(bounced{"nobody@york.cc", "mail.ohio.cc", "5.7.*", "spam", {}}, "no bounces",
          "bounced: nobody@york.cc, but by mail.york.cc and with 5.1.1 and for \"unknown user: \"nobody\"\"");
    fails(bounced{"nobody@york.cc", {}, {}, {}, 2}, "1 bounce, not 2", "bounced: nobody@york.cc");
    fails(bounced{"kimchen@york.cc", {}, {}, {}, {}}, "no bounces", "delivered to kimchen@york.cc at mail.york.cc");
    fails(bounced{"nobodi@york.cc", {}, {}, {}, {}}, "no bounces", "there is nobody@york.cc");
}

TEST_F(verdicts, refused_holds) {
    holds(refused{{}, {}, {}, {}, {}, {}}, "1 refusal");
    holds(refused{"dialup.isp.example", "mail.ohio.cc", "a@b", "victim@elsewhere.example", "554 5.7.1 *", 1},
          "1 refusal");
    holds(refused{"pc.york.cc", {}, {}, {}, {}, 0}, "no refusals");
}

TEST_F(verdicts, refused_fails_with_what_came_nearest) {
    fails(refused{"pc.york.cc", {}, {}, {}, {}, {}}, "no refusals",
          "refused: RCPT of dialup.isp.example by mail.ohio.cc, but of dialup.isp.example");
    fails(refused{"dialup.isp.example", "mail.york.cc", "x@y", "z@y", "450 *", {}}, "no refusals",
          "refused: RCPT of dialup.isp.example by mail.ohio.cc, but by mail.ohio.cc and from <a@b> and to "
          "<victim@elsewhere.example> and with "
          "\"554 5.7.1 <victim@elsewhere.example>: Relay access denied\"");
    fails(refused{{}, {}, {}, {}, {}, 2}, "1 refusal, not 2", "refused: RCPT of dialup.isp.example by mail.ohio.cc");
    facts.all_refusals.clear();
    fails(refused{{}, {}, {}, {}, {}, {}}, "no refusals", "");
}

TEST_F(verdicts, log_holds) {
    holds(log_line{{}, "status=sent", 2}, "2 lines");
    holds(log_line{"mail.ohio.cc", "to=<kimchen@\\w+\\.cc>.*sent", {}}, "1 line");
    holds(log_line{"mail.ohio.cc", "panic", 0}, "no lines");
}

TEST_F(verdicts, log_fails_with_the_line_that_nearly_matches) {
    fails(log_line{"mail.ohio.cc", "to=<kimchen@york\\.cc>, status=bounced", {}}, "no lines",
          "mail.ohio.cc: " + facts.logs["mail.ohio.cc"][1]);
    fails(log_line{{}, "delivered to x?mailbag", {}}, "no lines", "mail.york.cc: " + facts.logs["mail.york.cc"][0]);
    fails(log_line{{}, "status=sent", 1}, "2 lines, not 1", "mail.york.cc: " + facts.logs["mail.york.cc"][0]);
    fails(log_line{{}, "^[0-9]{3,}x", {}}, "no lines", "");
    fails(log_line{{}, "a(", {}}, "the pattern does not work: missing closing parenthesis", "");
    facts.logs["mail.york.cc"].push_back(std::string(64, 'a') + "!");
    fails(log_line{"mail.york.cc", "^(a+)+$", {}}, "the pattern does not work: it is too costly to search for", "");
    fails(log_line{"mail.york.cc", "^(a+)+$", 0}, "the pattern does not work: it is too costly to search for", "");
}

TEST_F(verdicts, queue_holds) {
    holds(queue_length{"mail.ohio.cc", 0, 1, 2, 3, 6}, "incoming 0, active 1, deferred 2, hold 3, in all 6");
    holds(queue_length{"mail.york.cc", {}, {}, {}, {}, 0}, "incoming 0, active 0, deferred 0, hold 0, in all 0");
}

TEST_F(verdicts, queue_fails_with_what_differs) {
    fails(queue_length{"mail.ohio.cc", {}, {}, 0, {}, 0}, "incoming 0, active 1, deferred 2, hold 3, in all 6",
          "deferred 2, not 0; in all 6, not 0");
    fails(queue_length{"mail.ohio.cc", 1, 0, {}, 0, {}}, "incoming 0, active 1, deferred 2, hold 3, in all 6",
          "incoming 0, not 1; active 1, not 0; hold 3, not 0");
}

TEST_F(verdicts, mailbox_holds) {
    holds(mailbox{"mail.york.cc", "kimchen", {}, {}, {}}, "2 messages");
    holds(mailbox{"mail.york.cc", "kimchen", 2, {{"subject", "two"}}, "Bye"}, "2 messages, 1 such");
    holds(mailbox{"mail.york.cc", "kimchen", {}, {{"X-Spam", "no, maybe"}, {"Subject", "o?e"}}, {}},
          "2 messages, 1 such");
    holds(mailbox{"mail.york.cc", "kimchen", 0, {{"Subject", "spam*"}}, {}}, "2 messages, no such");
    holds(mailbox{"mail.york.cc", "nobody", 0, {}, {}}, "no messages");
}

TEST_F(verdicts, mailbox_fails_with_the_message_that_nearly_fits) {
    fails(mailbox{"mail.york.cc", "nobody", {}, {}, {}}, "no messages", "");
    fails(mailbox{"mail.york.cc", "kimchen", 1, {}, {}}, "2 messages, not 1", "");
    fails(mailbox{"mail.york.cc", "kimchen", {}, {{"Subject", "two"}, {"X-Spam", "*"}}, "Bye"}, "2 messages, no such",
          "message 2 of 2, but without X-Spam");
    fails(mailbox{"mail.york.cc", "kimchen", {}, {{"Subject", "one"}}, "Bye"}, "2 messages, no such",
          "message 1 of 2, but without the text");
    fails(mailbox{"mail.york.cc", "kimchen", {}, {{"Subject", "o"}}, "Hello"}, "2 messages, no such",
          "message 1 of 2, but with Subject: one");
    fails(mailbox{"mail.york.cc", "kimchen", 0, {{"Subject", "one"}}, {}}, "2 messages, not 0, 1 such",
          "message 1 of 2");
}

TEST_F(verdicts, are_told_with_their_place) {
    const expectation one{{"lab.yaml", 3, 1}, delivered{"kimchen@york.cc", {}, {}, {}, {}}};
    const expectation other{{"lab.yaml", 4, 1}, delivered{"kimchen@york.cc", "x@y", "h", {"h"}, 3}};
    const auto all = judge_all(std::vector{one, other}, facts);
    ASSERT_EQ(all.size(), 2u);
    EXPECT_EQ(to_string(all[0]), "lab.yaml:3:1: held: delivered to kimchen@york.cc; found 2 deliveries");
    EXPECT_EQ(to_string(all[1]),
              "lab.yaml:4:1: failed: delivered to kimchen@york.cc from <x@y> at h by hops h, 3 times; found no "
              "deliveries, not 3; nearest: "
              "delivered to kimchen@york.cc, but from <z@york.cc> and at mail.york.cc and by hops smtp.6circles.cc, "
              "mail.york.cc");
}

TEST_F(verdicts, say_what_was_expected) {
    EXPECT_EQ(of(bounced{"a@b", "h", "5.*", "x", 1}).expected, "a@b bounced by h with 5.* for \"x\", once");
    EXPECT_EQ(of(refused{"c", "s", "", "t", "554*", 0}).expected,
              "refused: c by s from <> to <t> with \"554*\", not at all");
    EXPECT_EQ(of(log_line{"h", "x", 2}).expected, "a line of h's log that matches \"x\", 2 times");
    EXPECT_EQ(of(log_line{{}, "x", {}}).expected, "a line of a log that matches \"x\"");
    EXPECT_EQ(of(queue_length{"h", {}, {}, 0, {}, 1}).expected, "the queue of h: deferred 0, in all 1");
    EXPECT_EQ(of(mailbox{"h", "u", 1, {{"A", "b"}}, "c"}).expected,
              "the mailbox of u at h holds 1 message, one with A: b and the text \"c\"");
}

}  // namespace
}  // namespace sim::scenario
