// sim/scenario/python_pattern.hpp - a regular expression of Python's re, in PCRE2's words.
//
// The two languages agree on most; this rewrites what means something else in PCRE2 and refuses what Python refuses.
// https://docs.python.org/3.11/library/re.html, pcre2pattern(3).
#pragma once
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sim/scenario/pattern.hpp"

namespace sim::scenario {

struct translated_pattern {
    std::string text;
    std::vector<std::size_t> origins;  // for each byte of `text`, where it comes from
    bool ascii = false;                // (?a): \w, \d and \s know ASCII only
    std::optional<pattern_problem> problem;
};
translated_pattern translate_python(std::string_view expression);

}  // namespace sim::scenario
