#include "sim/lab/verdict_report.hpp"

#include <gtest/gtest.h>

#include <fstream>

#include "sim/lab/check.hpp"
#include "sim/lab/route_report.hpp"

namespace sim::lab {
namespace {

std::vector<std::string> lines_of(const std::string& file) {
    std::ifstream in(file);
    std::vector<std::string> lines;
    for (std::string line; std::getline(in, line);) lines.push_back(line);
    return lines;
}

struct examination : testing::Test {
    topology::load_result loaded = topology::load("tests/sim/lab/trail/scenario.yaml", check_hooks());
    std::unique_ptr<trial> host;
    std::unique_ptr<examiner> by;

    void SetUp() override {
        ASSERT_TRUE(loaded.ok());
        host = std::make_unique<trial>(*loaded.value, "mx.shop.example");
        by = std::make_unique<examiner>(*host, "smtp");
    }
    verdict_report ask(const std::string& sender, std::vector<std::string> recipients) {
        mta::smtpd::trial_question what;
        what.client = *by->client("192.168.137.66");
        what.helo = "dialup";
        what.sender = sender;
        what.recipients = std::move(recipients);
        return by->explain(what);
    }
};

// What a real `smtpd -v` logged of the dialogue in the scenario: its generic_checks, check_table_result and ">>> "
// lines.
TEST_F(examination, the_trail_is_that_of_a_real_smtpd) {
    std::vector<std::string> lines;
    const auto add = [&](const verdict_report& report) {
        for (std::string& each : examiner::as_postfix_logs(report)) lines.push_back(std::move(each));
    };
    add(ask("a@nowhere.example", {"kim@shop.example", "nobody@shop.example", "x@partner.example", "x@elsewhere.example",
                                  "strict@shop.example"}));
    add(ask("bad@x.example", {"kim@shop.example"}));
    add(ask("u@y.example", {"kim@shop.example"}));
    EXPECT_EQ(lines, lines_of("tests/sim/lab/trail/smtpd-v.txt"));
}

TEST_F(examination, the_entry_that_decides_is_named_with_its_place) {
    const verdict_report report = ask("bad@x.example", {"kim@shop.example"});
    ASSERT_EQ(report.stages.size(), 4u);
    const stage_report& rcpt = report.stages.back();
    EXPECT_EQ(rcpt.reply, "554 5.7.1 <bad@x.example>: Sender address rejected: go away");
    ASSERT_FALSE(rcpt.rules.empty());
    const tried_rule& rule = rcpt.rules.back();
    EXPECT_TRUE(rule.decided);
    EXPECT_EQ(rule.key, "bad@x.example");
    EXPECT_EQ(rule.entry_place, "senders:2");
    EXPECT_EQ(rule.place, "tests/sim/lab/trail/scenario.yaml:15");
}

TEST_F(examination, a_deferral_that_waited_decides_where_all_else_permits) {
    const verdict_report report = ask("u@y.example", {"kim@shop.example"});
    const stage_report& rcpt = report.stages.back();
    EXPECT_EQ(rcpt.reply, "450 4.7.1 <u@y.example>: Sender address rejected: later");
    for (const tried_rule& each : rcpt.rules)
        EXPECT_EQ(each.decided, each.status == "defer_if_permit") << each.restriction;
}

TEST_F(examination, a_matrix_gives_the_same_replies) {
    std::vector<std::string> replies;
    int left = 2;
    by->judge(
        [&](mta::smtpd::trial_question& made) {
            made.client = *by->client("192.168.137.66");
            made.helo = "dialup";
            made.sender = left == 2 ? "bad@x.example" : "a@nowhere.example";
            made.recipients = {"kim@shop.example"};
            return left-- > 0;
        },
        [&](const examiner::verdict& got) { replies.emplace_back(got.reply); });
    EXPECT_EQ(replies, (std::vector<std::string>{"554 5.7.1 <bad@x.example>: Sender address rejected: go away",
                                                 "250 2.1.5 Ok"}));
}

TEST_F(examination, a_route_says_which_list_and_which_line) {
    const route_report report = explain_route(*host, "", "x@partner.example");
    ASSERT_EQ(report.routes.size(), 1u);
    EXPECT_EQ(report.routes[0].address_class, "relay");
    ASSERT_FALSE(report.routes[0].steps.empty());
    EXPECT_EQ(report.routes[0].steps[0].by, "relay_domains");
    EXPECT_EQ(report.routes[0].steps[0].place, "tests/sim/lab/trail/scenario.yaml:9");
    EXPECT_FALSE(report.routes[0].problem.empty());  // no zone has partner.example
}

}  // namespace
}  // namespace sim::lab
