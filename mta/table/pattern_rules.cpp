#include "mta/table/pattern_rules.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "mta/table/rule_blocks.hpp"
#include "mta/table/source_text.hpp"
#include "mta/text/strings.hpp"

namespace mta::table {
namespace {

constexpr std::size_t max_result_bytes = 1u << 20;  // a result repeats groups as often as it likes

// A result: literals, each followed by a group (0: none).
struct result_piece {
    std::string literal;
    std::size_t group = 0;
};

struct pattern_rule {
    rule_kind kind = rule_kind::match;
    bool negated = false;
    std::unique_ptr<expression> pattern;
    std::vector<result_piece> result;
    std::size_t highest_group = 0;
    std::size_t line = 0;
    std::size_t block_end = 0;
};

class pattern_table final : public table {
  public:
    pattern_table(const open_request& request, std::vector<pattern_rule> rules)
        : table(request.type, request.name, key_style::pattern, false, request.options.utf8),
          rules_(std::move(rules)) {}

  private:
    lookup_result find(std::string_view key) const override {
        const std::string subject(key);
        lookup_result result;
        std::vector<group_span> groups;
        for (std::size_t i = 0; i < rules_.size(); ++i) {
            const pattern_rule& rule = rules_[i];
            if (rule.kind == rule_kind::end_block) continue;
            groups.assign(rule.highest_group == 0 ? 0 : rule.highest_group + 1, group_span{});
            if (!holds(rule, subject, groups, result.warnings)) {
                if (rule.kind == rule_kind::begin_block) i = rule.block_end - 1;
            } else if (rule.kind == rule_kind::match) {
                return filled(rule, subject, groups, std::move(result));
            }
        }
        return result;
    }

    // A failed match decides nothing, neither for the pattern nor for its negation.
    bool holds(const pattern_rule& rule, const std::string& subject, std::span<group_span> groups,
               std::vector<std::string>& warnings) const {
        std::string error;
        const expression::outcome outcome = rule.pattern->match(subject, groups, error);
        if (outcome == expression::outcome::failed) {
            warnings.push_back(type() + " map " + name() + ", line " + std::to_string(rule.line) + ": " + error);
            return false;
        }
        return (outcome == expression::outcome::matched) != rule.negated;
    }

    lookup_result filled(const pattern_rule& rule, const std::string& subject, std::span<const group_span> groups,
                         lookup_result result) const {
        for (const result_piece& piece : rule.result) {
            result.value += piece.literal;
            if (piece.group == 0) continue;
            const group_span& group = groups[piece.group];
            result.value.append(subject, group.begin, group.end - group.begin);
            if (result.value.size() > max_result_bytes) {
                return lookup_result::error(type() + " map " + name() + ", line " + std::to_string(rule.line) +
                                            ": result too long");
            }
        }
        result.status = outcome::found;
        result.where = {name(), rule.line};
        return result;
    }

    std::vector<pattern_rule> rules_;
};

class rule_reader {
  public:
    rule_reader(const open_request& request, const pattern_engine& engine)
        : request_(request), engine_(engine), log_{request} {}

    std::vector<pattern_rule> read(std::string_view source) {
        for (const logical_line& line : logical_lines(request_.name, source, request_.diagnostics)) {
            line_ = line.number;
            std::string_view text = text::trimmed_right(line.text);
            const rule_kind kind = take_keyword(text);
            if (kind == rule_kind::end_block) {
                end_block(text);
            } else if (kind == rule_kind::begin_block) {
                begin_block(text);
            } else if (!text.empty() && text::is_alnum(text.front())) {
                log_.warn(line_, "ignoring unrecognized request");
            } else {
                match_rule(text);
            }
        }
        close_all_blocks(rules_, open_blocks_, log_);
        return std::move(rules_);
    }

  private:
    struct pattern_text {
        bool negated = false;
        std::string pattern;
        unsigned flags = 0;
        std::string_view rest;  // after the flags and white space
    };

    void end_block(std::string_view rest) {
        if (open_blocks_.empty()) return log_.warn(line_, "ignoring ENDIF without matching IF");
        if (!rest.empty()) log_.warn(line_, "ignoring extra text after ENDIF");
        close_block(rules_, open_blocks_);
        pattern_rule rule;
        rule.kind = rule_kind::end_block;
        rule.line = line_;
        rules_.push_back(std::move(rule));
    }

    void begin_block(std::string_view text) {
        std::optional<pattern_text> parsed = take_pattern(text);
        if (!parsed) return;
        if (!parsed->rest.empty()) {
            log_.warn(line_, "ignoring extra text after IF statement: \"" + printable(parsed->rest) + '"');
            log_.warn(line_, "do not prepend whitespace to statements between IF and ENDIF");
        }
        pattern_rule rule;
        rule.kind = rule_kind::begin_block;
        if (!finish(rule, *parsed)) return;
        open_blocks_.push_back(rules_.size());
        rules_.push_back(std::move(rule));
    }

    void match_rule(std::string_view text) {
        std::optional<pattern_text> parsed = take_pattern(text);
        if (!parsed) return;
        if (parsed->rest.empty()) log_.warn(line_, "no replacement text: using empty string");
        pattern_rule rule;
        if (!read_result(rule, parsed->rest)) return log_.warn(line_, "bad replacement syntax: skipping this rule");
        if (rule.highest_group > 0 && parsed->negated) {
            return log_.warn(line_, "$number found in negative match replacement text: skipping this rule");
        }
        if (rule.highest_group > 0 && !request_.options.allow_substitution) {
            return log_.warn(line_, "regular expression substitution is not allowed: skipping this rule");
        }
        if (!finish(rule, *parsed)) return;
        if (rule.highest_group > rule.pattern->group_count()) {
            return log_.warn(line_, "out of range replacement index \"" + std::to_string(rule.highest_group) +
                                        "\": skipping this rule");
        }
        rules_.push_back(std::move(rule));
    }

    bool finish(pattern_rule& rule, const pattern_text& parsed) {
        rule.negated = parsed.negated;
        rule.line = line_;
        compiled made = engine_.compile(parsed.pattern, parsed.flags, request_.options);
        if (!made.value) log_.warn(line_, made.error);
        rule.pattern = std::move(made.value);
        return rule.pattern != nullptr;
    }

    std::optional<pattern_text> take_pattern(std::string_view text) {
        pattern_text result;
        result.negated = take_negations(text);
        if (text.empty()) {
            log_.warn(line_, "no regexp: skipping this rule");
            return std::nullopt;
        }
        const char delimiter = text.front();
        std::size_t end = 1;
        while (end < text.size() && text[end] != delimiter) end += text[end] == '\\' && end + 1 < text.size() ? 2 : 1;
        if (end >= text.size()) {
            log_.warn(line_, std::string("no closing regexp delimiter \"") + delimiter +
                                 "\": " + std::string(engine_.unclosed_ending) + " this rule");
            return std::nullopt;
        }
        result.pattern = text.substr(1, end - 1);
        result.flags = engine_.default_flags;
        for (++end; end < text.size() && !text::is_space(text[end]); ++end) {
            if (!toggle(result.flags, text[end])) return std::nullopt;
        }
        result.rest = text::trimmed(text.substr(end));
        return result;
    }

    bool toggle(unsigned& flags, char letter) {
        const auto flag = std::find_if(engine_.flags.begin(), engine_.flags.end(),
                                       [&](const pattern_flag& f) { return f.letter == letter; });
        const std::string shown = '"' + printable({&letter, 1}) + '"';
        if (flag == engine_.flags.end()) {
            log_.warn(line_, "unknown regexp option " + shown + ": skipping this rule");
            return false;
        }
        if (flag->bit == 0) log_.warn(line_, "ignoring obsolete regexp option " + shown);
        flags ^= flag->bit;
        return true;
    }

    // $1, ${1}, $(1) and $$; false after a warning.
    bool read_result(pattern_rule& rule, std::string_view text) {
        result_piece piece;
        std::size_t i = 0;
        while (i < text.size()) {
            if (text[i] != '$') {
                piece.literal += text[i++];
            } else if (text.substr(i).starts_with("$$")) {
                piece.literal += '$';
                i += 2;
            } else {
                const std::optional<std::string_view> index = take_index(text, i);
                if (!index || !read_index(*index, piece.group)) return false;
                rule.highest_group = std::max(rule.highest_group, piece.group);
                rule.result.push_back(std::exchange(piece, {}));
            }
        }
        rule.result.push_back(std::move(piece));
        return true;
    }

    // What stands after the `$` at `i`, braces removed; `i` moves behind it.
    std::optional<std::string_view> take_index(std::string_view text, std::size_t& i) {
        const std::string shown = '"' + printable(text) + '"';
        const std::size_t begin = ++i;
        std::string_view name;
        if (i < text.size() && (text[i] == '{' || text[i] == '(')) {
            const char opening = text[i];
            const char closing = opening == '{' ? '}' : ')';
            std::size_t depth = 0;
            do {
                if (i == text.size()) {
                    log_.bare(line_, "truncated macro reference: " + shown);
                    return std::nullopt;
                }
                if (text[i] == opening) ++depth;
                if (text[i] == closing) --depth;
                ++i;
            } while (depth > 0);
            name = text.substr(begin + 1, i - begin - 2);
        } else {
            while (i < text.size() && (text::is_alnum(text[i]) || text[i] == '_')) ++i;
            name = text.substr(begin, i - begin);
        }
        if (!name.empty()) return name;
        log_.bare(line_, "empty macro name: " + shown);
        return std::nullopt;
    }

    bool read_index(std::string_view name, std::size_t& group) {
        constexpr std::int64_t largest = 1'000'000;
        const std::string shown = '"' + printable(name) + '"';
        if (!std::all_of(name.begin(), name.end(), text::is_digit)) {
            log_.warn(line_, "non-numeric replacement index " + shown);
            return false;
        }
        group = static_cast<std::size_t>(std::min(text::to_number(name).value_or(largest), largest));
        if (group == 0) log_.warn(line_, std::string(engine_.index_zero_complaint) + ' ' + shown);
        return group != 0;
    }

    const open_request& request_;
    const pattern_engine& engine_;
    rule_log log_;
    std::vector<pattern_rule> rules_;
    std::vector<std::size_t> open_blocks_;
    std::size_t line_ = 0;
};

}  // namespace

table_ptr open_patterns(const open_request& request, const pattern_engine& engine) {
    const rules_source source = read_rules(request);
    if (source.unavailable) return source.unavailable;
    return std::make_shared<pattern_table>(request, rule_reader(request, engine).read(source.text));
}

}  // namespace mta::table
