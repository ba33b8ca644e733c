// regexp:, pcre: and cidr: tables: rules, blocks, substitution, mistakes, and what a hostile expression can do.
#include "tests/mta/table/fixture.hpp"

namespace mta::table {
namespace {

class pattern_tables : public table_test {};

TEST_F(pattern_tables, groups_go_into_the_result) {
    files["/r"] = "# c\n/^(a)(b)?c(d)$/ [$1|$2|${3}|$(3)|$$]\n!/[a-z]/ none\n/A B/i spaced\n|pi/pe| p\n";
    for (const std::string type : {"regexp:", "pcre:"}) {
        EXPECT_EQ(ask(type + "/r", "abcd"), "[a|b|d|d|$]");
        EXPECT_EQ(ask(type + "/r", "ACD"), "[A||D|D|$]");
        EXPECT_EQ(ask(type + "/r", "12"), "none");
        EXPECT_EQ(ask(type + "/r", "xA Bx"), "spaced");
        EXPECT_EQ(ask(type + "/r", "xa bx"), "-");
        EXPECT_EQ(ask(type + "/r", "pi/pe"), "p");
        EXPECT_EQ(open_table(type + "/r")->lookup("A B").where.line, 4u);
    }
}

TEST_F(pattern_tables, blocks_nest) {
    files["/r"] = "if /^i/\n/^ia/ ia\nIF !/^ib/\n/^ic/ ic\nendif\n/^ib/ ib\nENDIF\n/./ other\n";
    for (const std::string type : {"regexp:", "pcre:"}) {
        EXPECT_EQ(ask(type + "/r", "iax"), "ia");
        EXPECT_EQ(ask(type + "/r", "ibx"), "ib");
        EXPECT_EQ(ask(type + "/r", "icx"), "ic");
        EXPECT_EQ(ask(type + "/r", "idx"), "other");
        EXPECT_EQ(ask(type + "/r", "x"), "other");
    }
}

TEST_F(pattern_tables, mistakes_are_told_as_postfix_tells_them) {
    files["/r"] =
        "/(q)/ $2\n/(r)/ $(1\n/(t)/ $x\n/(u)/ $\n/un(/ x\n/x/z flag\nnoslash x\n/nores/\n/no\nendif\n"
        "!/(y)/ $1\nif /x/ junk\nendif junk\nif\n/l/ $0\nif /a/\n";
    open_table("regexp:/r");
    EXPECT_EQ(said,
              (strings{R"(regexp map /r, line 1: out of range replacement index "2": skipping this rule)",
                       R"(truncated macro reference: "$(1")",
                       "regexp map /r, line 2: bad replacement syntax: skipping this rule",
                       R"(regexp map /r, line 3: non-numeric replacement index "x")",
                       "regexp map /r, line 3: bad replacement syntax: skipping this rule",
                       R"(empty macro name: "$")",
                       "regexp map /r, line 4: bad replacement syntax: skipping this rule",
                       R"(regexp map /r, line 5: Unmatched ( or \()",
                       R"(regexp map /r, line 6: unknown regexp option "z": skipping this rule)",
                       "regexp map /r, line 7: ignoring unrecognized request",
                       "regexp map /r, line 8: no replacement text: using empty string",
                       R"(regexp map /r, line 9: no closing regexp delimiter "/": skipping this rule)",
                       "regexp map /r, line 10: ignoring ENDIF without matching IF",
                       "regexp map /r, line 11: $number found in negative match replacement text: skipping this rule",
                       R"(regexp map /r, line 12: ignoring extra text after IF statement: "junk")",
                       "regexp map /r, line 12: do not prepend whitespace to statements between IF and ENDIF",
                       "regexp map /r, line 13: ignoring extra text after ENDIF",
                       "regexp map /r, line 14: no regexp: skipping this rule",
                       R"(regexp map /r, line 15: out-of-range replacement index "0")",
                       "regexp map /r, line 15: bad replacement syntax: skipping this rule",
                       "regexp map /r, line 16: IF has no matching ENDIF"}));
    files["/p"] = "/un(/ x\n/no\n/l/ $0\n/x/X y\n";
    open_table("pcre:/p");
    EXPECT_EQ(said, (strings{"pcre map /p, line 1: error in regex at offset 3: missing closing parenthesis",
                             R"(pcre map /p, line 2: no closing regexp delimiter "/": ignoring this rule)",
                             R"(pcre map /p, line 3: out of range replacement index "0")",
                             "pcre map /p, line 3: bad replacement syntax: skipping this rule",
                             R"(pcre map /p, line 4: ignoring obsolete regexp option "X")"}));
}

TEST_F(pattern_tables, substitution_can_be_forbidden) {
    open_options options;
    options.allow_substitution = false;
    EXPECT_EQ(ask("pcre:{{/(x)/ $1:}}", "x", options), "-");
    EXPECT_EQ(
        said,
        strings{"pcre map {{/(x)/ $1:}}, line 1: regular expression substitution is not allowed: skipping this rule"});
}

TEST_F(pattern_tables, rules_may_stand_in_the_name) {
    EXPECT_EQ(ask("regexp:{{/(1)/i $1-a},  {/2/ b}}", "12"), "1-a");
    EXPECT_EQ(ask("pcre:{ {/x{2}/ b}, {/1/ c} }", "1"), "c");
    EXPECT_EQ(ask("cidr:{ {if 1.0.0.0/8} {1.2.3.4 yes} {endif}}", "1.2.3.4"), "yes");
    EXPECT_EQ(ask("cidr:{}", "1.2.3.4"), "-");
    open_table("cidr:{1.2.3.4 x}");
    EXPECT_EQ(said, strings{R"(cidr map: no '{' at start of text in "1.2.3.4")"});
    open_table("pcre:{ {/4$/ yes}{endif}}");
    EXPECT_EQ(said, strings{R"(pcre map: syntax error after '}' in "{/4$/ yes}{endif}")"});
    open_table("cidr:{{1.2.3.4 a}");
    EXPECT_EQ(said, strings{R"(cidr map: missing '}' in "{{1.2.3.4 a}")"});
}

TEST_F(pattern_tables, a_hostile_expression_ends) {
    files["/p"] = "/^(a+)+(b|c\\1)$/ x\n/a/ y\n";
    const lookup_result result = open_table("pcre:/p")->lookup(std::string(60, 'a') + '!');
    EXPECT_EQ(result.value, "y");
    EXPECT_EQ(result.warnings, strings{"pcre map /p, line 1: match limit exceeded"});
    files["/r"] = "/^(a*)*(a*)*(a*)*\\1\\2\\3b$/ x\n/a/ y\n";
    EXPECT_EQ(ask("regexp:/r", std::string(400, 'a')), "y");
    files["/r"] = "/((((a{1,200}){1,200}){1,200}){1,200})/ x\n/" + std::string(3000, '(') + "/ x\n/a/ y\n";
    EXPECT_EQ(ask("regexp:/r", "a"), "y");
    EXPECT_EQ(said, (strings{"regexp map /r, line 1: Regular expression too big",
                             "regexp map /r, line 2: Regular expression too big"}));
    std::string blocks;
    for (int i = 0; i < 50000; ++i) blocks += "if /a/\n";
    files["/deep"] = blocks + "/a/ deep\n";
    EXPECT_EQ(ask("pcre:/deep", "a"), "deep");
}

TEST_F(pattern_tables, back_references_work_in_posix_syntax) {
    files["/r"] = "/^([[:alpha:]\\]+)@\\1$/ same $1\n";
    EXPECT_EQ(ask("regexp:/r", "ab@AB"), "same ab");
    EXPECT_EQ(ask("regexp:/r", "ab@ac"), "-");
}

TEST_F(pattern_tables, cidr_rules_match_networks) {
    files["/c"] =
        "1.2.3.4 a\n1.2.3.0/24 b\n[2001:db8::]/32 six\n!9.9.0.0/16 notnine\nif 9.9.9.0/24\n9.9.9.9 x\nendif\n";
    EXPECT_EQ(ask("cidr:/c", "1.2.3.4"), "a");
    EXPECT_EQ(ask("cidr:/c", "1.2.3.9"), "b");
    EXPECT_EQ(ask("cidr:/c", "2001:DB8:0:0::5"), "six");
    EXPECT_EQ(ask("cidr:/c", "8.8.8.8"), "notnine");
    EXPECT_EQ(ask("cidr:/c", "9.9.9.9"), "x");
    EXPECT_EQ(ask("cidr:/c", "9.9.9.8"), "-");
    for (const auto* const no_address : {"hello", "1.2.3", "[1.2.3.4]", "001.2.3.4", ""}) {
        EXPECT_EQ(ask("cidr:/c", no_address), "-") << no_address;
    }
}

TEST_F(pattern_tables, cidr_mistakes_are_told_as_postfix_tells_them) {
    files["/c"] =
        "1.2.3.1/24 a\n1.2.3.4/33 a\n1.2.3.4/x a\n1.2.3 a\n[1.2.3.4 a\n[1.2.3.4]x a\n1.2.3.9\n!\nendif\nendif x\nif\n"
        "/24 x\nif ::1\n";
    open_table("cidr:/c");
    const auto at = [](int line, const std::string& text) {
        return "cidr map /c, line " + std::to_string(line) + ": " + text + ": skipping this rule";
    };
    EXPECT_EQ(
        said,
        (strings{at(1, R"(non-null host address bits in "1.2.3.1/24", perhaps you should use "1.2.3.0/24" instead)"),
                 at(2, R"(bad mask length in "1.2.3.4/33")"), at(3, R"(bad mask value in "1.2.3.4/x")"),
                 at(4, R"(bad address pattern: "1.2.3")"), at(5, R"(missing ']' character after "[1.2.3.4")"),
                 at(6, R"(garbage after "[1.2.3.4]")"), at(7, "no lookup result"), at(8, "no address pattern"),
                 at(9, "ENDIF without IF"), at(10, "garbage after ENDIF"), at(11, "no address pattern"),
                 at(12, R"(bad network value in "/24")"), "cidr map /c, line 13: IF has no matching ENDIF"}));
}

}  // namespace
}  // namespace mta::table
