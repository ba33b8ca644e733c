#include "mta/config/expand.hpp"

#include <gtest/gtest.h>

#include <map>

namespace mta::config {
namespace {

// As in the main.cf that real Postfix was asked with.
const std::map<std::string, std::string, std::less<>> values = {
    {"a", "alpha"},           {"empty", ""},     {"n5", "5"},       {"n10", "10"},
    {"nest", "$a-$n5"},       {"loop", "$pool"}, {"pool", "$loop"}, {"self", "${self?{$self}}"},
    {"lp", "${{$lp} == {b}}"}};

std::optional<std::string> find(std::string_view name) {
    const auto at = values.find(name);
    return at == values.end() ? std::nullopt : std::optional(at->second);
}

struct row {
    const char* text;
    const char* expected;
};

TEST(expand, puts_in_what_postfix_puts_in) {
    const row rows[] = {
        {"$a", "alpha"},
        {"${a}", "alpha"},
        {"$(a)", "alpha"},
        {"$a.b", "alpha.b"},
        {"$a_b", ""},
        {"$$a", "$a"},
        {"$$", "$"},
        {"${a?yes}", "yes"},
        {"${empty?yes}", ""},
        {"${undef?yes}", ""},
        {"${a:no}", ""},
        {"${empty:no}", "no"},
        {"${a?{yes}}", "yes"},
        {"${empty?{yes}:{no}}", "no"},
        {"${a?{yes}:no}", "yes"},
        {"${empty?{yes}:no}", "no"},
        {"${a?yes:no}", "yes:no"},
        {"${empty?yes:no}", ""},
        {"x${a? yes }y", "x yes y"},
        {"x${a? { yes } : { no } }y", "x yes y"},
        {"x${ empty : yes }y", "x yes y"},
        {"${a?{$nest}:{z}}", "alpha-5"},
        {"$(a?{yes}:{no})", "yes"},
        {"$(a?(b):(c))", "(b):(c)"},
        {"${{$a} == {alpha} ? {x} : {y}}", "x"},
        {"${{$a}=={alpha}?{x}:{y}}", "x"},
        {"x${{$a} == {alpha} ? x : y}", "x x : y"},
        {"${{$a} != {alpha} ? {x} : {y}}", "y"},
        {"${{$n5} < {$n10} ? {x} : {y}}", "x"},
        {"${{5a} < {10} ? {x} : {y}}", "y"},
        {"${{$n5} >= {$n10} ? {x} : {y}}", "y"},
        {"${{$n5} <= {5} ? {x} : {y}}", "x"},
        {"${{$n5} > {4}}", "true"},
        {"${{$n5} < {4}}", ""},
        {"${{$n5} < {4} : {x}}", "x"},
        {"${{3.5} <level {3.10} ? {x} : {y}}", "x"},
        {"${{3.5} <=level {3.5} ? {x} : {y}}", "x"},
        {"${{3.5} ==level {3.5.0} ? {x} : {y}}", "x"},
        {"${{3.5} >level {3} ? {x} : {y}}", "x"},
        {"${{1} !=level {2}}", "true"},
        {"${{01.02} ==level {1.2}}", "true"},
        {"${{05} == {5} ? {x} : {y}}", "x"},
        {"${{-5} < {5} ? {x} : {y}}", "x"},
        {"${{ 5 } == {5} ? {x} : {y}}", "y"},
        {"${a}}", "alpha}"},
        {"${a?{{x}}}", "{x}"},
        {"${{${a}} == {alpha}?{x}}", "x"},
        {"${{x}=={x}?${a?{k}}}", "k"},
        {"x${empty?{x${-}y}}z", "xz"},
        {"x${a?{b}:}y", "xby"},
        {"${a?}", ""},
    };
    for (const auto& r : rows) EXPECT_EQ(expand(r.text, find, {}), r.expected) << r.text;
}

TEST(expand, refuses_what_postfix_refuses_and_in_its_words) {
    const row rows[] = {
        {"100%$", "empty macro name: \"100%$\""},
        {"a$ b", "empty macro name: \"a$ b\""},
        {"x ${} y", "empty macro name: \"x ${} y\""},
        {"x ${foo", "truncated macro reference: \"x ${foo\""},
        {"$(a?{(}:{b})", "truncated macro reference: \"$(a?{(}:{b})\""},
        {"${a?{yes}x}", "\":\" expected at: \"...yes}>>>x\""},
        {"${a:{d}x}", "unexpected input at: \"...d}>>>x\""},
        {"${a?{b}:{e}x}", "unexpected input at: \"...e}>>>x\""},
        {"${a!}", "attribute name syntax error at: \"...a>>>!\""},
        {"${${a}?{x}}", "attribute name syntax error at: \"...>>>${a}?{x}\""},
        {"${aaaaaaaaaaaaaaaaaaaaaa-bbbbbbbbbbbbbbbbbbbbbbbbbbbbbb}",
         "attribute name syntax error at: \"...aaaaaaaaaaaaaaaaaaaaaa>>>-bbbbbbbbbbbbbbbbbbb\""},
        {"${{a}}", R"("==" or "!="" or "<"" or "<="" or ">="" or ">" expected at: "...a}>>>")"},
        {"${{$n5} = {4}?{x}:{y}}",
         R"("==" or "!="" or "<"" or "<="" or ">="" or ">" expected at: "...$n5}>>>= {4}?{x}:{y}")"},
        {"${{1} === {2}}", R"("==" or "!="" or "<"" or "<="" or ">="" or ">" expected at: "...1}>>>=== {2}")"},
        {"${{$n5} > 4 ? {x}}", R"("{expression}" expected at: "...{$n5} >>>> 4 ? {x}")"},
        {"${{a} == }", R"("{expression}" expected at: "...{a} ==>>> ")"},
        {"${{a} == {b} x}", R"("?" or ":" expected at: "...}>>>x")"},
        {"${{a} <levelx {b}}", R"(bad operator suffix at: "...<>>>levelx")"},
        {"${{3.5} >=level {abc}}", "malformed compatibility level syntax: \"abc\""},
        {"${{1.2.3.4} <level {2}}", "malformed compatibility level syntax: \"1.2.3.4\""},
        {"${{1.1024} <level {2}}", "malformed compatibility level syntax: \"1.1024\""},
        {"$loop", "unreasonable macro call nesting: \"pool\""},
        {"$self", "unreasonable macro call nesting: \"self?{$self}\""},
        // Real Postfix counts no level here and dies of its stack.
        {"$lp", "unreasonable macro call nesting: \"{$lp} == {b}\""},
    };
    for (const auto& r : rows) {
        try {
            ADD_FAILURE() << r.text << " gave " << expand(r.text, find, place("main.cf", 3));
        } catch (const fatal& e) {
            EXPECT_EQ(e.warning(), r.expected) << r.text;
            EXPECT_STREQ(e.what(), "dictionary mail_dict: macro processing error");
            EXPECT_EQ(e.where().text(), "main.cf:3");
        }
    }
}

TEST(expand, a_number_too_large_to_compare_is_fatal) {
    try {
        ADD_FAILURE() << expand("${{99999999999999999999} < {5}}", find, {});
    } catch (const fatal& e) {
        EXPECT_STREQ(e.what(), "mac_exp_eval: bad conversion: 99999999999999999999");
    }
}

TEST(expand, work_is_bounded) {
    // Each name stands for twice the next one: 2^60 characters without a limit.
    const auto doubling = [](std::string_view name) -> std::optional<std::string> {
        const auto n = std::stoi(std::string(name.substr(1)));
        return n == 60 ? "x" : "$v" + std::to_string(n + 1) + "$v" + std::to_string(n + 1);
    };
    EXPECT_THROW(expand("$v0", doubling, {}), fatal);
    const auto big = [](std::string_view) { return std::optional(std::string(1U << 20, 'x')); };
    std::string many;
    for (int i = 0; i < 1000; ++i) many += "${b?}";
    EXPECT_THROW(expand(many, big, {}), fatal);
}

TEST(expand, once_leaves_names_in_values_alone) {
    EXPECT_EQ(expand_once("$nest", find, {}), "$a-$n5");
}

}  // namespace
}  // namespace mta::config
