// mta/table/rule_blocks.hpp - what cidr:, regexp: and pcre: rules share: `if`, `endif`, `!`, and how mistakes are told.
#pragma once
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "mta/table/types.hpp"
#include "mta/text/strings.hpp"

namespace mta::table {

enum class rule_kind { match, begin_block, end_block };

// Warnings about the rules of one table: "pcre map NAME, line N: TEXT".
struct rule_log {
    const open_request& request;

    void warn(std::size_t line, std::string_view text) {
        bare(line, std::string(request.type) + " map " + std::string(request.name) + ", line " + std::to_string(line) +
                       ": " + std::string(text));
    }
    // Without the table's name, as mac_parse(3) warns.
    void bare(std::size_t line, std::string text) {
        request.diagnostics.push_back({severity::warning, std::move(text), {std::string(request.name), line}});
    }
};

// Takes a leading IF or ENDIF, in any case and followed by no letter or digit, and the white space after it.
inline rule_kind take_keyword(std::string_view& rule) {
    constexpr std::string_view words[] = {"endif", "if"};
    for (const std::string_view word : words) {
        if (!text::starts_with_ignoring_case(rule, word)) continue;
        if (rule.size() > word.size() && text::is_alnum(rule[word.size()])) continue;
        rule = text::trimmed(rule.substr(word.size()));
        return word == "if" ? rule_kind::begin_block : rule_kind::end_block;
    }
    return rule_kind::match;
}

// Takes leading `!`s and the white space after each; true for an odd number.
inline bool take_negations(std::string_view& rule) {
    bool negated = false;
    while (!rule.empty() && rule.front() == '!') {
        negated = !negated;
        rule.remove_prefix(1);
        while (!rule.empty() && text::is_space(rule.front())) rule.remove_prefix(1);
    }
    return negated;
}

// Blocks nest to any depth without recursion: a rule knows where its block ends.
template <class Rule>
void close_block(std::vector<Rule>& rules, std::vector<std::size_t>& open_blocks) {
    rules[open_blocks.back()].block_end = rules.size() + 1;  // past the endif about to be added
    open_blocks.pop_back();
}

template <class Rule>
void close_all_blocks(std::vector<Rule>& rules, std::vector<std::size_t>& open_blocks, rule_log& log) {
    for (; !open_blocks.empty(); open_blocks.pop_back()) {
        log.warn(rules[open_blocks.back()].line, "IF has no matching ENDIF");
        rules[open_blocks.back()].block_end = rules.size();
    }
}

}  // namespace mta::table
