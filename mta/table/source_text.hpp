// mta/table/source_text.hpp - the text that lookup tables are written in: logical lines, `key value` entries, and the
// `{...}` forms inside a parameter value (postmap(1), readllines.c, extpar.c).
//
// Nothing here fails: what Postfix would warn of is added to the diagnostics, or handed back as the error's text.
#pragma once
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mta/table/table.hpp"

namespace mta::table {

struct logical_line {
    std::string text;        // continuation lines joined as they stand, without newlines
    std::size_t number = 0;  // of its first line, from 1
};

// Comments and blank lines are left out, also within a logical line. Text that begins with white space and continues
// nothing is left out with a warning.
std::vector<logical_line> logical_lines(std::string_view file, std::string_view text,
                                        std::vector<diagnostic>& diagnostics);

// Text as the log shows it: what is not printable ASCII or well-formed UTF-8 becomes '?'.
std::string printable(std::string_view text);
bool is_ascii(std::string_view text);
bool is_utf8(std::string_view text);

// Where a key ends: at white space outside double quotes. Nothing when the quotes do not close.
std::optional<std::size_t> key_length(std::string_view text);

// `name = value` with a possibly quoted name (split_qnameval); `error` is empty when it went well.
struct name_value {
    std::string_view name;
    std::string_view value;
    std::string error;
};
name_value split_name_value(std::string_view text);

// The length of the balanced {...} that `text` begins with; 0 when it does not.
std::size_t balanced_braces(std::string_view text);

// The text inside {...}, without white space at its ends; what stands after the brace is an error (extpar.c).
struct braced {
    std::string_view inside;
    std::string error;
};
braced inside_braces(std::string_view text);

// The rules of "{ {rule}, {rule} }", one line each, as dict_stream_open(3) writes them (cidr:, pcre:, regexp:).
struct inline_text {
    std::string text;
    std::string error;
};
inline_text inline_rules(std::string_view specification);

}  // namespace mta::table
