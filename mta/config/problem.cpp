#include "mta/config/problem.hpp"

namespace mta::config {

std::string position::text() const {
    if (!file) return "built-in default";
    std::string out = *file;
    if (line != 0) out += ":" + std::to_string(line);
    if (line != 0 && column != 0) out += ":" + std::to_string(column);
    return out;
}

position place(std::string_view file, std::uint32_t line, std::uint32_t column) {
    return {std::make_shared<const std::string>(file), line, column};
}

}  // namespace mta::config
