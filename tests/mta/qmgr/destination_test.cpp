#include "mta/qmgr/destination.hpp"

#include <gtest/gtest.h>

#include <string>

namespace mta::qmgr {
namespace {

// Plays "+" (a success while `busy` deliveries run) and "-" (a failure of the site), and tells the window after each.
std::string windows(const concurrency_settings& settings, std::string_view results, int busy) {
    concurrency flow(settings);
    std::string out;
    for (const char each : results) {
        if (each == '+') {
            flow.succeeded(busy);
        } else {
            flow.failed({"4.4.1", "no answer"});
        }
        out += (out.empty() ? "" : " ") + std::to_string(flow.window());
    }
    return out;
}

concurrency_settings with(const char* positive, const char* negative, int initial = 5, int limit = 20,
                          double cohorts = 1) {
    concurrency_settings result;
    result.initial = initial;
    result.limit = limit;
    result.failed_cohorts = cohorts;
    result.positive = *feedback::parse(positive);
    result.negative = *feedback::parse(negative);
    return result;
}

TEST(feedback, reads_what_the_manual_names) {
    struct {
        const char* text;
        double at_1, at_4;
    } rows[] = {
        {"1", 1, 1}, {"0.5", 0.5, 0.5},          {"1/8", 0.125, 0.125},           {" 1 / 8 ", 0.125, 0.125},
        {"0", 0, 0}, {"1/concurrency", 1, 0.25}, {"0.5/concurrency", 0.5, 0.125}, {"1/sqrt_concurrency", 1, 0.5}};
    for (const auto& row : rows) {
        const auto read = feedback::parse(row.text);
        ASSERT_TRUE(read) << row.text;
        EXPECT_DOUBLE_EQ(read->at(1), row.at_1) << row.text;
        EXPECT_DOUBLE_EQ(read->at(4), row.at_4) << row.text;
    }
    for (const char* wrong : {"", "x", "-1", "2", "1/", "1/0", "1/-2", "1/x", "1x", "nan", "1/nan", "/8"}) {
        EXPECT_FALSE(feedback::parse(wrong)) << wrong;
    }
}

// By hand from qmgr(8)'s rule: with feedback 1 every success adds one, up to the limit.
TEST(concurrency, grows_by_one_for_each_success) {
    EXPECT_EQ(windows(with("1", "1", 5, 8), "+++++", 8), "6 7 8 8 8");
    EXPECT_EQ(windows(with("1", "1", 5, 0), "+++++", 100), "6 7 8 9 10") << "no limit";
}

TEST(concurrency, does_not_run_ahead_of_what_is_used) {
    EXPECT_EQ(windows(with("1", "1", 5), "+++++", 2), "6 7 7 7 7") << "at most busy and the initial window";
}

TEST(concurrency, one_over_concurrency_takes_a_whole_cohort_to_grow) {
    EXPECT_EQ(windows(with("1/concurrency", "1", 3, 20), "++++++++++++", 20), "3 3 4 4 4 4 5 5 5 5 5 6");
}

TEST(concurrency, hysteresis_of_a_small_feedback) {
    EXPECT_EQ(windows(with("1/8", "1", 5, 20), "++++++++++++++++", 20), "5 5 5 5 5 5 5 6 6 6 6 6 6 6 6 7")
        << "the eighth success";
}

// The first failure acts at once, the next when the hysteresis of eight is through.
TEST(concurrency, shrinks_at_the_start_of_the_cycle) {
    EXPECT_EQ(windows(with("1", "1/8", 5, 20, 0), "---------", 5), "4 4 4 4 4 4 4 3 3");
}

TEST(concurrency, never_shrinks_below_one) {
    EXPECT_EQ(windows(with("1", "1", 2, 20, 0), "-----", 2), "1 1 1 1 1");
}

TEST(concurrency, no_feedback_no_change) {
    EXPECT_EQ(windows(with("0", "0", 5, 20, 0), "++--++", 20), "5 5 5 5 5 5");
}

// 1/5, then 1/3, then 1/2 of a cohort: more than one.
TEST(concurrency, is_dead_after_a_cohort_of_failures) {
    EXPECT_EQ(windows(with("1", "1"), "---", 5), "3 2 0");
    EXPECT_EQ(windows(with("1", "1", 1), "-", 1), "0");
    EXPECT_EQ(windows(with("1", "0", 5), "-----", 5), "5 5 5 5 0");
    EXPECT_EQ(windows(with("1", "0", 2, 20, 2), "----", 5), "2 2 2 0");
}

TEST(concurrency, a_success_begins_the_cohort_again) {
    EXPECT_EQ(windows(with("0", "0", 2), "-+-+-+--", 5), "2 2 2 2 2 2 2 0");
}

TEST(concurrency, tells_once_that_it_died_and_why) {
    const concurrency_settings settings = with("1", "1", 1);
    concurrency flow(settings);
    EXPECT_FALSE(flow.dead());
    EXPECT_TRUE(flow.failed({"4.4.1", "first"}));
    EXPECT_FALSE(flow.failed({"4.4.1", "second"}));
    EXPECT_TRUE(flow.dead());
    EXPECT_EQ(flow.reason().text, "first");
}

// "Back from the almost grave": with what is under way, or the initial window.
TEST(concurrency, comes_back_with_what_is_in_use) {
    const concurrency_settings settings = with("1", "0", 4);
    for (const auto& [busy, wanted] : {std::pair(0, 4), std::pair(1, 1), std::pair(3, 3)}) {
        concurrency flow(settings);
        for (int i = 0; i < 4; ++i) flow.failed({"4.4.1", "no answer"});
        ASSERT_TRUE(flow.dead());
        flow.revive(busy);
        EXPECT_EQ(flow.window(), wanted);
        EXPECT_EQ(flow.reason().text, "");
        for (int i = 0; i < wanted - 1; ++i) flow.failed({"4.4.1", "no answer"});
        EXPECT_FALSE(flow.dead()) << "the count of failures began anew";
    }
}

TEST(concurrency, a_success_revives) {
    const concurrency_settings settings = with("1", "0", 2);
    concurrency flow(settings);
    flow.failed({"4.4.1", "no answer"});
    flow.failed({"4.4.1", "no answer"});
    ASSERT_TRUE(flow.dead());
    flow.succeeded(1);
    EXPECT_EQ(flow.window(), 1);
}

}  // namespace
}  // namespace mta::qmgr
