// mta/table/alias_text.hpp - one logical line of aliases(5): `name: value, value`, as postalias(1) reads it.
//
// The line is tokenized as a header field (RFC 822 as tok822_parse.c reads it), so that a quoted name may hold
// anything.
#pragma once
#include <string>
#include <string_view>

namespace mta::table {

struct alias_entry {
    std::string name;   // unquoted
    std::string value;  // with canonical spacing, quoted where the source is
    std::string error;  // "need name:value pair" or "name must be local"; else empty
};

alias_entry parse_alias(std::string_view line);

}  // namespace mta::table
