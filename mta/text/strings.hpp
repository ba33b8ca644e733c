// mta/text/strings.hpp - the small ASCII string work that every room needs; nothing here knows about mail.
//
// All of it is locale-free: SMTP, DNS and Postfix's tables fold ASCII case only.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mta::text {

constexpr char lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
}
constexpr char upper(char c) {
    return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
}
constexpr bool is_space(char c) {
    return c == ' ' || (c >= '\t' && c <= '\r');
}
constexpr bool is_digit(char c) {
    return c >= '0' && c <= '9';
}
constexpr bool is_alpha(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
constexpr bool is_alnum(char c) {
    return is_alpha(c) || is_digit(c);
}

std::string lowered(std::string_view text);
std::string uppered(std::string_view text);
bool equal_ignoring_case(std::string_view a, std::string_view b);
bool starts_with_ignoring_case(std::string_view text, std::string_view prefix);
bool ends_with_ignoring_case(std::string_view text, std::string_view suffix);

std::string_view trimmed(std::string_view text);  // both ends, is_space
std::string_view trimmed_right(std::string_view text);

// The non-empty fields of `text` between any of `separators`; views into `text`.
std::vector<std::string_view> split(std::string_view text, std::string_view separators);
// Postfix's list separators (CHARS_COMMA_SP in mail_params.h), and the same without the comma.
inline constexpr std::string_view comma_or_space = ", \t\r\n";
inline constexpr std::string_view white_space = " \t\r\n";
// As split, but what stands between `{` and its `}` is one field, braces kept (mystrtokq(3)).
std::vector<std::string_view> split_quoting_braces(std::string_view text, std::string_view separators);

// A non-negative decimal number that is the whole of `text`, or nothing.
std::optional<std::int64_t> to_number(std::string_view text);

// `text` with every occurrence of `from` replaced by `to`.
std::string replaced(std::string_view text, std::string_view from, std::string_view to);

// Edit distance (Damerau-Levenshtein, adjacent swaps count once) for "did you mean".
std::size_t edit_distance(std::string_view a, std::string_view b);
// The candidate nearest to `word`, or "" when none is near enough to be a misspelling of it.
std::string_view nearest(std::string_view word, const std::vector<std::string_view>& candidates);

}  // namespace mta::text
