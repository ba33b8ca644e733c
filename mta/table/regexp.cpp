// mta/table/regexp.cpp - regexp: tables on the system's regcomp(3), as Postfix has it (regexp_table(5)).
//
// The C library bounds neither the memory of nested repetitions nor the time of back-references. So an expression whose
// repetitions multiply beyond a limit is refused with the library's own words for too big a one, and one with
// back-references runs on PCRE2, whose search is bounded; the two agree on whether it matches.
#include <regex.h>

#include <algorithm>
#include <array>
#include <cstdint>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "mta/table/pcre_expression.hpp"
#include "mta/text/strings.hpp"

namespace mta::table {
namespace {

constexpr std::size_t max_pattern_bytes = 4096;
constexpr std::size_t max_group_depth = 200;
constexpr std::uint64_t max_expanded_size = 8192;  // nodes after {n,m} is written out

class posix_expression final : public expression {
  public:
    posix_expression(const std::string& pattern, int flags) { status_ = regcomp(&regex_, pattern.c_str(), flags); }
    ~posix_expression() override {
        if (status_ == 0) regfree(&regex_);
    }
    posix_expression(const posix_expression&) = delete;
    posix_expression& operator=(const posix_expression&) = delete;

    std::string compile_error() const { return status_ == 0 ? std::string() : message(status_); }

    outcome match(const std::string& subject, std::span<group_span> groups, std::string& error) const override {
        std::vector<regmatch_t> found(groups.size());
        const int status = regexec(&regex_, subject.c_str(), found.size(), found.data(), 0);
        if (status == REG_NOMATCH) return outcome::unmatched;
        if (status != 0) {
            error = message(status);
            return outcome::failed;
        }
        for (std::size_t i = 0; i < groups.size(); ++i) {
            if (found[i].rm_so < 0 || found[i].rm_eo < found[i].rm_so) continue;
            groups[i] = {static_cast<std::size_t>(found[i].rm_so), static_cast<std::size_t>(found[i].rm_eo)};
        }
        return outcome::matched;
    }
    std::size_t group_count() const override { return regex_.re_nsub; }

  private:
    std::string message(int status) const {
        std::array<char, 256> text{};
        regerror(status, &regex_, text.data(), text.size());
        return text.data();
    }

    regex_t regex_{};
    int status_ = 0;
};

// What matters of an expression before regcomp(3) sees it.
struct survey {
    bool back_references = false;
    bool too_big = false;
};

// The upper bound of {n}, {n,} or {n,m} whose `{` stands before `text`; 1 when that is no repetition.
std::uint64_t repetitions(std::string_view text) {
    constexpr std::uint64_t ceiling = 1u << 16;
    std::uint64_t highest = 1;
    std::uint64_t number = 0;
    for (const char c : text) {
        if (text::is_digit(c)) {
            number = std::min(number * 10 + static_cast<std::uint64_t>(c - '0'), ceiling);
        } else {
            highest = std::max(highest, number);
            number = 0;
            if (c != ',') break;
        }
    }
    return std::max(highest, number) + 1;
}

std::size_t after_bracket(std::string_view pattern, std::size_t i) {
    ++i;
    if (i < pattern.size() && pattern[i] == '^') ++i;
    if (i < pattern.size() && pattern[i] == ']') ++i;
    while (i < pattern.size() && pattern[i] != ']') {
        const bool named = pattern[i] == '[' && i + 1 < pattern.size() &&
                           std::string_view(":.=").find(pattern[i + 1]) != std::string_view::npos;
        if (named) {
            const std::size_t end = pattern.find(std::string{pattern[i + 1], ']'}, i + 2);
            if (end != pattern.npos) i = end + 1;
        }
        ++i;
    }
    return std::min(i + 1, pattern.size());
}

// Reads basic and extended syntax alike (`\(` and `(`), so it may overestimate, never the other way.
survey look_over(std::string_view pattern) {
    survey result;
    result.too_big = pattern.size() > max_pattern_bytes;
    std::vector<std::uint64_t> sizes = {0};  // of the groups we are in
    std::uint64_t last = 0;                  // of the item that a repetition would repeat
    for (std::size_t i = 0; i < pattern.size() && !result.too_big;) {
        std::size_t next = i + 1;
        char c = pattern[i];
        if (c == '\\' && next < pattern.size()) {
            c = pattern[next++];
            if (c >= '1' && c <= '9') result.back_references = true;
        }
        if (c == '(') {
            sizes.push_back(0);
            last = 0;
        } else if (c == ')' && sizes.size() > 1) {
            last = sizes.back() + 1;
            sizes.pop_back();
            sizes.back() += last;
        } else if (c == '{') {
            const std::uint64_t times = repetitions(pattern.substr(next));
            sizes.back() += last * (times - 1);
            last *= times;
        } else {
            if (c == '[') next = after_bracket(pattern, i);
            last = 1;
            sizes.back() += 1;
        }
        result.too_big = sizes.back() > max_expanded_size || last > max_expanded_size || sizes.size() > max_group_depth;
        i = next;
    }
    return result;
}

// An extended expression in PCRE2's syntax: a backslash in brackets stands for itself, GNU's anchors have other names,
// and a question mark after `(` is nothing special.
std::string as_pcre(std::string_view pattern) {
    std::string out;
    for (std::size_t i = 0; i < pattern.size();) {
        if (pattern[i] == '[') {
            const std::size_t end = after_bracket(pattern, i);
            out += text::replaced(pattern.substr(i, end - i), "\\", "\\\\");
            i = end;
        } else if (pattern[i] == '\\' && i + 1 < pattern.size()) {
            const char c = pattern[i + 1];
            out += c == '<'    ? "\\b(?=\\w)"
                   : c == '>'  ? "\\b(?<=\\w)"
                   : c == '`'  ? "\\A"
                   : c == '\'' ? "\\z"
                               : std::string{'\\', c};
            i += 2;
        } else {
            out += pattern[i];
            if (pattern[i] == '(' && i + 1 < pattern.size() && (pattern[i + 1] == '?' || pattern[i + 1] == '*'))
                out += "(?:)";
            ++i;
        }
    }
    return out;
}

constexpr std::array<pattern_flag, 3> flags = {{{'i', REG_ICASE}, {'m', REG_NEWLINE}, {'x', REG_EXTENDED}}};

compiled compile(const std::string& pattern, unsigned chosen, const open_options&) {
    const survey seen = look_over(pattern);
    const auto cflags = static_cast<int>(chosen);
    if (seen.too_big || (seen.back_references && (chosen & REG_EXTENDED) == 0)) {
        return {nullptr, "Regular expression too big"};
    }
    auto made = std::make_unique<posix_expression>(pattern, cflags);
    std::string error = made->compile_error();
    if (!error.empty()) return {nullptr, std::move(error)};
    if (!seen.back_references) return {std::move(made), {}};
    const unsigned options = ((chosen & REG_ICASE) != 0 ? PCRE2_CASELESS : 0u) |
                             ((chosen & REG_NEWLINE) != 0 ? PCRE2_MULTILINE : PCRE2_DOTALL | PCRE2_DOLLAR_ENDONLY);
    return compile_pcre(as_pcre(pattern), options);
}

constexpr pattern_engine engine = {flags, REG_ICASE | REG_EXTENDED, "skipping", "out-of-range replacement index",
                                   compile};

}  // namespace

table_ptr open_regexp(const open_request& request) {
    return open_patterns(request, engine);
}

}  // namespace mta::table
