// mta/table/pattern_rules.hpp - what regexp: and pcre: tables share: the rules' syntax, $n substitution and the search
// (regexp_table(5), pcre_table(5)).
//
// An engine compiles and matches one expression; the rest is here. Rules with mistakes are warned of in Postfix's words
// and left out. A search is one pass over the rules; what an engine may spend on one expression is bounded.
#pragma once
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "mta/table/types.hpp"

namespace mta::table {

struct group_span {
    std::size_t begin = 0;
    std::size_t end = 0;  // begin == end for a group that took no part
};

class expression {
  public:
    enum class outcome { matched, unmatched, failed };

    virtual ~expression() = default;
    // Fills as many groups as `groups` holds (0 is the whole match); `error` when it failed.
    virtual outcome match(const std::string& subject, std::span<group_span> groups, std::string& error) const = 0;
    virtual std::size_t group_count() const = 0;
};

struct compiled {
    std::unique_ptr<expression> value;
    std::string error;
};

// A flag letter after the closing delimiter toggles a bit; one with no bit is obsolete and ignored.
struct pattern_flag {
    char letter;
    unsigned bit;
};

struct pattern_engine {
    std::span<const pattern_flag> flags;
    unsigned default_flags;
    std::string_view unclosed_ending;       // "skipping" or "ignoring" this rule
    std::string_view index_zero_complaint;  // how each driver words $0
    compiled (*compile)(const std::string& pattern, unsigned flags, const open_options& options);
};

table_ptr open_patterns(const open_request& request, const pattern_engine& engine);

}  // namespace mta::table
