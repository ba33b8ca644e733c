// mta/table/cidr.cpp - cidr: tables of address patterns, with if/endif and `!` (cidr_table(5)).
//
// A rule that does not parse is warned of in Postfix's words and left out. A key that is no address is not found.
#include <variant>

#include "mta/table/cidr_match.hpp"
#include "mta/table/rule_blocks.hpp"
#include "mta/table/source_text.hpp"
#include "mta/table/types.hpp"
#include "mta/text/strings.hpp"

namespace mta::table {
namespace {

struct cidr_rule {
    rule_kind kind = rule_kind::match;
    bool negated = false;
    cidr_pattern pattern;
    std::string value;
    std::size_t line = 0;
    std::size_t block_end = 0;  // if: the rule after its endif
};

class cidr_table final : public table {
  public:
    cidr_table(const open_request& request, std::vector<cidr_rule> rules)
        : table("cidr", request.name, key_style::pattern, false, request.options.utf8), rules_(std::move(rules)) {}

  private:
    lookup_result find(std::string_view key) const override {
        const std::optional<ip_address> address = parse_ip(key);
        if (!address) return lookup_result::miss();
        for (std::size_t i = 0; i < rules_.size(); ++i) {
            const cidr_rule& rule = rules_[i];
            if (rule.kind == rule_kind::end_block) continue;
            const bool holds = rule.pattern.matches(*address) != rule.negated;
            if (rule.kind == rule_kind::match) {
                if (holds) return lookup_result::hit(rule.value, {name(), rule.line});
            } else if (!holds) {
                i = rule.block_end - 1;
            }
        }
        return lookup_result::miss();
    }

    std::vector<cidr_rule> rules_;
};

struct parsed {
    cidr_rule rule;
    std::string error;
};

parsed parse_rule(std::string_view text, bool inside_block) {
    parsed result;
    cidr_rule& rule = result.rule;
    rule.kind = take_keyword(text);
    if (rule.kind == rule_kind::end_block) {
        if (!text.empty()) {
            result.error = "garbage after ENDIF";
        } else if (!inside_block) {
            result.error = "ENDIF without IF";
        }
        return result;
    }
    rule.negated = take_negations(text);
    std::string_view pattern = text::trimmed_right(text);
    if (rule.kind == rule_kind::match) {
        const std::size_t end = std::min(text.find_first_of(" \t\r\n\v\f"), text.size());
        pattern = text.substr(0, end);
        rule.value = text::trimmed(text.substr(end));
    }
    if (pattern.empty()) {
        result.error = "no address pattern";
    } else if (rule.kind == rule_kind::match && rule.value.empty()) {
        result.error = "no lookup result";
    } else {
        auto outcome = cidr_pattern::parse(pattern);
        if (auto* const error = std::get_if<std::string>(&outcome)) {
            result.error = std::move(*error);
        } else {
            rule.pattern = std::get<cidr_pattern>(outcome);
        }
    }
    return result;
}

}  // namespace

table_ptr open_cidr(const open_request& request) {
    const rules_source source = read_rules(request);
    if (source.unavailable) return source.unavailable;
    rule_log log{request};
    std::vector<cidr_rule> rules;
    std::vector<std::size_t> open_blocks;
    for (const logical_line& line : logical_lines(request.name, source.text, request.diagnostics)) {
        parsed next = parse_rule(line.text, !open_blocks.empty());
        if (!next.error.empty()) {
            log.warn(line.number, next.error + ": skipping this rule");
            continue;
        }
        next.rule.line = line.number;
        if (next.rule.kind == rule_kind::begin_block) open_blocks.push_back(rules.size());
        if (next.rule.kind == rule_kind::end_block) close_block(rules, open_blocks);
        rules.push_back(std::move(next.rule));
    }
    close_all_blocks(rules, open_blocks, log);
    return std::make_shared<cidr_table>(request, std::move(rules));
}

}  // namespace mta::table
