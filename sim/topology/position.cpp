#include "sim/topology/position.hpp"

namespace sim::topology {

std::string to_string(const position& at) {
    if (at.line == 0) return at.file;
    const std::string line = at.file + ":" + std::to_string(at.line);
    return at.column == 0 ? line : line + ":" + std::to_string(at.column);
}

}  // namespace sim::topology
