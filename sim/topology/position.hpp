// sim/topology/position.hpp - a place in a topology file, as editors and compilers write it: file:line:column.
#pragma once
#include <compare>
#include <string>

namespace sim::topology {

struct position {
    std::string file;  // as the user named it, or relative to the file that includes it
    int line = 0;      // from 1; 0: nowhere (what was not written in any file)
    int column = 0;    // from 1, in characters; 0: not known

    auto operator<=>(const position&) const = default;
};

// "file:line:column", without what is not known.
std::string to_string(const position& at);

}  // namespace sim::topology
