#include "mta/text/strings.hpp"

#include <gtest/gtest.h>

namespace mta::text {
namespace {

using fields = std::vector<std::string_view>;

TEST(strings, split_drops_empty_fields) {
    EXPECT_EQ(split(" a, b,,c\t", comma_or_space), (fields{"a", "b", "c"}));
    EXPECT_EQ(split("", comma_or_space), fields{});
}

TEST(strings, braces_hold_a_field_together) {
    EXPECT_EQ(split_quoting_braces("permit, { check x, {y z} }, reject", comma_or_space),
              (fields{"permit", "{ check x, {y z} }", "reject"}));
}

TEST(strings, numbers_are_whole_or_nothing) {
    EXPECT_EQ(to_number("25"), 25);
    for (const auto wrong : {"", "-1", "+1", "25x", " 25", "99999999999999999999"})
        EXPECT_FALSE(to_number(wrong)) << wrong;
}

TEST(strings, nearest_finds_a_misspelling_and_no_stranger) {
    const fields keys = {"hosts", "zones", "clients"};
    EXPECT_EQ(nearest("hsots", keys), "hosts");
    EXPECT_EQ(nearest("client", keys), "clients");
    EXPECT_EQ(nearest("weather", keys), "");
}

}  // namespace
}  // namespace mta::text
