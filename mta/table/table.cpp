#include "mta/table/table.hpp"

#include <algorithm>

#include "mta/table/source_text.hpp"
#include "mta/text/char_set.hpp"
#include "mta/text/strings.hpp"

namespace mta::table {

std::string position::text() const {
    return line == 0 ? file : file + ':' + std::to_string(line);
}

lookup_result table::lookup(std::string_view key) const {
    key = key.substr(0, key.find('\0'));  // Postfix's keys are C strings
    if (utf8_ && !is_utf8(key)) {
        lookup_result result;
        result.warnings.push_back(logged_name() + ": non-UTF-8 key \"" + printable(key) +
                                  "\": malformed UTF-8 or invalid codepoint");
        return result;
    }
    const bool folded = folds_case_ && keys_ == key_style::fixed &&
                        std::any_of(key.begin(), key.end(), [](char c) { return text::upper_case.contains(c); });
    lookup_result result = folded ? find(text::lowered(key)) : find(key);
    if (!utf8_ || !result.found() || is_utf8(result.value)) return result;
    return lookup_result::error(logged_name() + ": key \"" + printable(key) + "\": non-UTF-8 value \"" +
                                printable(result.value) + "\": malformed UTF-8 or invalid codepoint");
}

}  // namespace mta::table
