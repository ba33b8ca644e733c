// sim/topology/scalar_kind.cpp - what a plain scalar means in YAML 1.1 (https://yaml.org/type/).
#include <algorithm>
#include <array>
#include <iterator>

#include "mta/text/strings.hpp"
#include "sim/topology/yaml_tree.hpp"

namespace sim::topology {
namespace {

// 0.5 and 12.0, but not 00.5, .5, 1.50 or more digits than every tool keeps.
bool is_plain_fraction(std::string_view digits) {
    constexpr std::size_t kept = 15;
    const std::size_t point = digits.find('.');
    const auto whole = digits.substr(0, point), part = digits.substr(point + 1);
    const auto is_number = [](std::string_view each) {
        return !each.empty() && each.find_first_not_of("0123456789") == std::string_view::npos;
    };
    if (!is_number(whole) || !is_number(part) || digits.size() > kept) return false;
    const bool tiny = whole == "0" && part.starts_with("0000");  // written as 1e-05
    return !tiny && (whole == "0" || whole[0] != '0') && (part == "0" || part.back() != '0');
}

}  // namespace

scalar_kind kind_of(std::string_view plain) {
    static constexpr std::array<std::string_view, 6> truths{"true", "false", "yes", "no", "on", "off"};
    const auto folded = mta::text::lowered(plain);
    const bool one_case = plain == folded || plain == mta::text::uppered(plain) ||
                          (!plain.empty() && plain.substr(1) == std::string_view(folded).substr(1));
    if (one_case && std::find(truths.begin(), truths.end(), folded) != truths.end()) return scalar_kind::boolean;

    auto digits = plain;
    const bool negative = digits.starts_with('-');
    if (negative || digits.starts_with('+')) digits.remove_prefix(1);
    if (digits.empty()) return scalar_kind::text;
    const auto only = [](std::string_view text, std::string_view allowed) {
        return text.find_first_not_of(allowed) == std::string_view::npos;
    };
    const bool starts_as_number =
        mta::text::is_digit(digits[0]) || (digits[0] == '.' && digits.size() > 1 && mta::text::is_digit(digits[1]));
    if (starts_as_number && only(digits, "0123456789")) {
        const bool as_written = (digits == "0" && !negative) || (digits[0] != '0');
        return as_written && !plain.starts_with('+') ? scalar_kind::integer : scalar_kind::other_number;
    }
    if (digits.starts_with("0x") || digits.starts_with("0b"))
        return digits.size() > 2 && only(digits.substr(2), digits[1] == 'x' ? "0123456789abcdefABCDEF_" : "01_")
                   ? scalar_kind::other_number
                   : scalar_kind::text;
    const std::string_view infinities[] = {".inf", ".Inf", ".INF", ".nan", ".NaN", ".NAN"};
    if (std::find(std::begin(infinities), std::end(infinities), digits) != std::end(infinities))
        return scalar_kind::other_number;
    if (!starts_as_number) return scalar_kind::text;
    const auto points = std::count(digits.begin(), digits.end(), '.');
    if (points == 1 && !plain.starts_with('+') && is_plain_fraction(digits)) return scalar_kind::fraction;
    if (points == 1 && digits.find(':') == std::string_view::npos && only(digits, "0123456789._eE+-"))
        return scalar_kind::other_number;
    if (points == 0 && only(digits, "0123456789_")) return scalar_kind::other_number;
    // 1:30 is ninety (base 60), as long as what follows the first colon are numbers under 60.
    if (digits.find(':') == std::string_view::npos || points > 1 || !only(digits, "0123456789_:."))
        return scalar_kind::text;
    const auto fields = mta::text::split(digits, ":");
    for (std::size_t i = 1; i < fields.size(); ++i)
        if (fields[i].size() > 2 || mta::text::to_number(fields[i]).value_or(60) > 59) return scalar_kind::text;
    return scalar_kind::other_number;
}

}  // namespace sim::topology
