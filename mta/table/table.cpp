#include "mta/table/table.hpp"

#include "mta/table/source_text.hpp"
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
    if (!folds_case_ || keys_ == key_style::pattern) return find(key);
    return find(text::lowered(key));
}

}  // namespace mta::table
