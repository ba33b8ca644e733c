#include "mta/config/main_cf.hpp"

#include <gtest/gtest.h>

namespace mta::config {
namespace {

std::string read(std::string_view text) {
    std::string out;
    const auto cf = read_main_cf(text, "main.cf");
    for (const auto& d : cf.definitions) out += std::to_string(d.where.line) + " " + d.name + "=[" + d.value + "]\n";
    for (const auto& p : cf.found) {
        out += std::to_string(p.where.line) + (p.level == severity::fatal ? " fatal: " : " warning: ") + p.text + "\n";
    }
    return out;
}

TEST(main_cf, lines_continue_over_comments_and_blank_lines) {
    EXPECT_EQ(read("a = b\n  # x\n\n c\n#y\n   d\n\n  \ne=f  \n  \n"), "1 a=[b c   d]\n9 e=[f]\n");
    EXPECT_EQ(read("x-y.z = 1\nfoo\t=\tbar\n x\n a= b = c\n"), "1 x-y.z=[1]\n2 foo=[bar x a= b = c]\n");
    EXPECT_EQ(read("a = b\r\n"), "1 a=[b]\n");
    EXPECT_EQ(read("a ="), "1 a=[]\n");
    EXPECT_EQ(read(""), "");
}

TEST(main_cf, says_what_postfix_says) {
    EXPECT_EQ(read("foo\n"), "1 fatal: main.cf, line 1: missing '=' after attribute name: \"foo\"\n");
    EXPECT_EQ(read("a=1\nfoo bar = x\n"),
              "1 a=[1]\n2 fatal: main.cf, line 2: missing '=' after attribute name: \"foo bar = x\"\n");
    EXPECT_EQ(read("=z\n  very\n"), "1 fatal: main.cf, line 1: missing attribute name: \"=z  very\"\n");
    EXPECT_EQ(read(" = x\na=b\n"),
              "2 a=[b]\n1 warning: main.cf: logical line must not start with whitespace: \" = x\"\n");
    EXPECT_EQ(
        read("  verylongnameverylongname verylongname = x\n # c\n more\n"),
        "1 warning: main.cf: logical line must not start with whitespace: \"  verylongnameverylongname ver...\"\n");
    EXPECT_EQ(read(std::string_view("a\0b = c\n", 8)),
              "1 fatal: main.cf, line 1: missing '=' after attribute name: \"a\"\n");
}

TEST(main_cf, only_a_different_value_overrides) {
    EXPECT_EQ(read("a=1\nb=2\n c\nb=4\na=1\n"),
              "1 a=[1]\n2 b=[2 c]\n4 b=[4]\n5 a=[1]\n4 warning: main.cf, line 4: overriding earlier entry: b=2 c\n");
}

}  // namespace
}  // namespace mta::config
