// mta/config/main_cf.hpp - reading the text of a main.cf (postconf(5)).
//
// Bounded work and no exceptions: what is wrong ends up in `found`, in Postfix's words. After a fatal problem the
// rest of the text is still read, so that one check shows all of them.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "mta/config/problem.hpp"

namespace mta::config {

// One `name = value`, the value unexpanded, continuation lines joined as Postfix joins them.
struct definition {
    std::string name;
    std::string value;
    position where;
};

struct main_cf {
    std::vector<definition> definitions;  // in file order; of equal names the last one counts
    problems found;
};
main_cf read_main_cf(std::string_view text, std::string_view file);

// One logical line: the text of a line and the lines that continue it, without comments and empty lines. Leading
// white space of continuation lines is kept (Postfix joins "a\n  b" to "a  b").
struct logical_line {
    std::string text;
    std::uint32_t first = 0;  // number of its first physical line
    std::uint32_t last = 0;   // and of its last
};
// For main.cf and master.cf. Anything before the first line that starts with non-blank text is as Postfix takes it.
std::vector<logical_line> logical_lines(std::string_view text);

}  // namespace mta::config
