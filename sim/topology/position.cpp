#include "sim/topology/position.hpp"

namespace sim::topology {

std::string to_string(const position& at) {
    if (at.line == 0) return at.file;
    return at.file + ":" + std::to_string(at.line) + ":" + std::to_string(at.column);
}

}  // namespace sim::topology
