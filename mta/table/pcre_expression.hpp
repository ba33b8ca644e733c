// mta/table/pcre_expression.hpp - one expression on PCRE2, bounded; `options` are PCRE2_* compile options.
#pragma once
#include <string>

#include "mta/table/pattern_rules.hpp"

namespace mta::table {

compiled compile_pcre(const std::string& pattern, unsigned options);

}  // namespace mta::table
