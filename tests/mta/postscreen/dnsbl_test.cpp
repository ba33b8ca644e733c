#include "mta/postscreen/dnsbl.hpp"

#include <gtest/gtest.h>

namespace mta::postscreen {
namespace {

std::vector<dnsbl_site> sites(std::initializer_list<const char*> texts) {
    std::vector<dnsbl_site> all;
    for (const char* each : texts) all.push_back(parse_site(each));
    return all;
}

TEST(postscreen_dnsbl, weights_add_up_over_lists) {
    const auto all = sites({"bl.example*2", "other.example", "wl.example*-3"});
    dnsbl_score score;
    score.add(all, "bl.example", {"127.0.0.2"});
    score.add(all, "other.example", {"127.0.0.9"});
    EXPECT_EQ(score.total, 3);
    score.add(all, "wl.example", {"127.0.9.1"});
    EXPECT_EQ(score.total, 0);
}

TEST(postscreen_dnsbl, a_site_counts_once_and_only_where_its_filter_fits) {
    const auto all = sites({"bl.example=127.0.0.[2..4]*2", "bl.example=127.0.0.9*5", "bl.example"});
    dnsbl_score score;
    score.add(all, "bl.example", {"127.0.0.3", "127.0.0.4"});
    EXPECT_EQ(score.total, 3);
    score.add(all, "elsewhere.example", {"127.0.0.9"});
    EXPECT_EQ(score.total, 3);
    dnsbl_score none;
    none.add(all, "bl.example", {});
    EXPECT_EQ(none.total, 0);
    EXPECT_EQ(none.name, "");
}

TEST(postscreen_dnsbl, the_client_is_told_of_the_list_that_counts_most) {
    auto all = sites({"wl.example*-9", "small.example", "large.example*4", "equal.example*4"});
    all[2].shown = "public.example";
    dnsbl_score score;
    for (const char* each : {"wl.example", "small.example", "large.example", "equal.example"})
        score.add(all, each, {"127.0.0.2"});
    EXPECT_EQ(score.name, "public.example");
}

}  // namespace
}  // namespace mta::postscreen
