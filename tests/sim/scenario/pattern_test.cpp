#include "sim/scenario/pattern.hpp"

#include <gtest/gtest.h>

namespace sim::scenario {
namespace {

bool finds(std::string_view expression, std::string_view text, dialect language = dialect::python) {
    const pattern compiled(expression, language);
    EXPECT_TRUE(compiled.valid()) << expression;
    return compiled.search(text) == search_result::found;
}
std::string problem(std::string_view expression, dialect language = dialect::python) {
    const auto found = check_pattern(expression, language);
    EXPECT_EQ(found.has_value(), !pattern(expression, language).valid());
    return found ? std::to_string(found->offset) + ": " + found->text : "";
}

TEST(glob, stands_for_the_whole_text) {
    EXPECT_TRUE(glob_matches("554 5.7.1 *", "554 5.7.1 <a>: no"));
    EXPECT_FALSE(glob_matches("554 5.7.1", "554 5.7.1 <a>: no"));
    EXPECT_TRUE(glob_matches("", ""));
    EXPECT_FALSE(glob_matches("", "a"));
    EXPECT_TRUE(glob_matches("***", ""));
    EXPECT_TRUE(glob_matches("5.?.*", "5.7.26"));
    EXPECT_FALSE(glob_matches("5.?.*", "5.10.1"));
    EXPECT_TRUE(glob_matches("*a*b", "xaxaxb"));
    EXPECT_FALSE(glob_matches("*a*b", "xaxaxbc"));
    EXPECT_FALSE(glob_matches("A", "a"));
}

TEST(glob, takes_a_character_or_a_stray_byte_for_a_question_mark) {
    EXPECT_TRUE(glob_matches("x?y", "x\xc3\xa9y"));
    EXPECT_TRUE(glob_matches("x?y", "x\xffy"));
    EXPECT_FALSE(glob_matches("x?y", "x\xff\xffy"));
}

TEST(glob, does_no_exponential_work) {
    std::string glob, text(20'000, 'a');
    for (int i = 0; i < 200; ++i) glob += "*a";
    EXPECT_FALSE(glob_matches(glob + "b", text));
}

TEST(readable, shows_what_is_no_utf8) {
    EXPECT_EQ(readable("a\xc3\xa9\xe2\x82\x41\xed\xa0\x80\xf4\x90\x80\x80\xc0\xaf"),
              "a\xc3\xa9\\xe2\\x82"
              "A\\xed\\xa0\\x80\\xf4\\x90\\x80\\x80\\xc0\\xaf");
    EXPECT_EQ(readable("\xf0\x9f\x98\x80\xe2\x82\xac"), "\xf0\x9f\x98\x80\xe2\x82\xac");
}

TEST(python_pattern, finds_what_pythons_re_finds) {
    EXPECT_TRUE(finds("XJS.C4J", "..XJS*C4J.."));
    EXPECT_TRUE(finds("", "anything"));
    EXPECT_TRUE(finds("^Subject: (?P<x>a)(?P=x)$", "Subject: aa\n"));
    EXPECT_FALSE(finds("^Subject", "To: x\nSubject"));
    EXPECT_TRUE(finds("(?m)^Subject", "To: x\nSubject"));
    EXPECT_TRUE(finds("(?m)\\n^", "To: x\n"));  // also after the last newline
    EXPECT_FALSE(finds("a\\Z", "a\n"));
    EXPECT_TRUE(finds("a$", "a\n"));
    EXPECT_FALSE(finds("a.b", "a\nb"));
    EXPECT_TRUE(finds("(?s)a.b", "a\nb"));
    EXPECT_TRUE(finds("a.b", "a\rb"));
    EXPECT_TRUE(finds("^a{,2}$", "aa"));
    EXPECT_FALSE(finds("^a{,2}$", "aaa"));
    EXPECT_TRUE(finds("a{,b", "a{,b"));
    EXPECT_TRUE(finds("^a{,}b{}c{x}$", "aaab{}c{x}"));
    EXPECT_TRUE(finds("^a+?b{2}+c*?d?$", "aabbd"));
    EXPECT_TRUE(finds("[[:alpha:]]", ":]"));
    EXPECT_FALSE(finds("^[[:alpha:]]", "z"));
    EXPECT_TRUE(finds("[]x]", "]"));
    EXPECT_TRUE(finds("^[^]x]$", "a"));
    EXPECT_TRUE(finds("\\v", "\x0b"));
    EXPECT_FALSE(finds("\\v", "\n"));
    EXPECT_TRUE(finds("\\u00e9\\U0001F600\\xe9", "\xc3\xa9\xf0\x9f\x98\x80\xc3\xa9"));
    EXPECT_TRUE(finds("^\\w$", "\xc3\xa9"));
    EXPECT_FALSE(finds("(?a)^\\w$", "\xc3\xa9"));
    EXPECT_TRUE(finds("(?iu)SPAM", "spam"));
    EXPECT_TRUE(finds("a(?#note)b(?:c)(?>d)(?=e)(?<=d)e(?i:F)", "abcdef"));
    EXPECT_TRUE(finds("^(?P<q>\")?a(?(q)\"|-)$", "\"a\""));
    EXPECT_TRUE(finds("^(\")?a(?(1)\"|-)$", "a-"));
}

TEST(python_pattern, takes_a_byte_that_is_no_text_for_a_character_that_is_no_letter) {
    EXPECT_TRUE(finds("^a.b\\W$",
                      "a\xff"
                      "b\xfe"));
    EXPECT_FALSE(finds("\\w", "\xff\x80"));
    EXPECT_TRUE(finds("^[^a]$", "\x80"));
}

TEST(python_pattern, refuses_what_python_refuses) {
    EXPECT_EQ(problem("a"), "");
    EXPECT_EQ(problem("a\\h"), "1: bad escape \\h");
    EXPECT_EQ(problem("a\\"), "1: bad escape at the end of the pattern");
    EXPECT_EQ(problem("[\\Z]"), "1: bad escape \\Z");
    EXPECT_EQ(problem("\\x4"), "0: bad escape \\x");
    EXPECT_EQ(problem("\\u12g4"), "0: bad escape \\u");
    EXPECT_EQ(problem("(*UTF)a"), "0: nothing to repeat");
    EXPECT_EQ(problem("a(?R)"), "1: unknown extension ?R");
    EXPECT_EQ(problem("(?<n>a)"), "0: unknown extension ?<");
    EXPECT_EQ(problem("x(?i)a"), "1: global flags not at the start of the expression");
    EXPECT_EQ(problem("(?"), "0: unknown extension ?");
    EXPECT_EQ(problem("(?#x"), "0: missing ), unterminated comment");
    EXPECT_EQ(problem("(?(+1)a)"), "0: bad group name in a conditional");
    EXPECT_EQ(problem("x[a"), "1: unterminated character set");
    EXPECT_EQ(problem("x[a\\]"), "1: unterminated character set");
    EXPECT_EQ(problem("(?a:x)"), "0: the flag a is only supported at the start of the expression, as (?a)");
    EXPECT_EQ(problem("a**"), "2: multiple repeat");
    EXPECT_EQ(problem("a{2}{3}"), "4: multiple repeat");
    EXPECT_EQ(problem("a+?+"), "3: multiple repeat");
    EXPECT_EQ(problem("(?-i)a"), "0: missing :");
    EXPECT_EQ(problem("(?i-:a)"), "0: missing flag");
    EXPECT_NE(problem("{,3}"), "");
    EXPECT_NE(problem("[z-a]"), "");
    EXPECT_NE(problem("(a)\\2"), "");
    EXPECT_NE(problem("x{3,1}"), "");
    EXPECT_NE(problem("a(b"), "");
    EXPECT_NE(problem("*a"), "");
    EXPECT_NE(problem("\\ud800"), "");
    EXPECT_NE(problem(std::string(70'000, 'a')), "");
    EXPECT_NE(problem(std::string(2'000, '(') + std::string(2'000, ')')), "");
}

TEST(python_pattern, tells_where_in_the_pattern_as_written) {
    EXPECT_EQ(problem("\\v\\v\\va(").substr(0, 2), "8:");
}

TEST(pcre_pattern, is_pcre2s_own) {
    EXPECT_TRUE(finds("status=(sent|bounced)", "x status=sent (250)", dialect::pcre));
    EXPECT_TRUE(finds("[[:digit:]]\\h", "1 ", dialect::pcre));
    EXPECT_EQ(problem("a(", dialect::pcre), "2: missing closing parenthesis");
    EXPECT_NE(problem("\xff", dialect::pcre), "");
}

TEST(pattern, gives_up_a_search_that_would_never_end) {
    EXPECT_EQ(pattern("^(a+)+$", dialect::python).search(std::string(40, 'a') + "!"), search_result::too_costly);
    // Little work at each place, at very many places.
    EXPECT_EQ(pattern("a[^b]*+bc", dialect::python).search(std::string(300'000, 'a') + "bd c"),
              search_result::too_costly);
    EXPECT_EQ(pattern("^(x(?1)?)+[yz]", dialect::pcre).search(std::string(100'000, 'x')), search_result::too_costly);
}

TEST(pattern, spends_a_budget_over_many_texts) {
    const pattern wanted("a+b", dialect::pcre);
    std::uint64_t budget = 100;
    EXPECT_EQ(wanted.search("xaaab", budget), search_result::found);
    EXPECT_LT(budget, 100u);
    EXPECT_GT(budget, 50u);
    for (int i = 0; i < 100; ++i) wanted.search("xaaab", budget);
    EXPECT_EQ(wanted.search("xaaab", budget), search_result::too_costly);
}

TEST(pattern, that_is_none_finds_nothing) {
    EXPECT_EQ(pattern("(", dialect::pcre).search("("), search_result::not_found);
    EXPECT_EQ(pattern("a", dialect::pcre).search({}), search_result::not_found);
    EXPECT_EQ(pattern("", dialect::pcre).search({}), search_result::found);
}

}  // namespace
}  // namespace sim::scenario
