// mta/text/name_table.hpp - what is known by name, found without making a string of the name. Its order means nothing:
// whoever prints from it sorts first.
#pragma once
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace mta::text {

struct name_hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view name) const { return std::hash<std::string_view>{}(name); }
};

template <class Value>
using name_table = std::unordered_map<std::string, Value, name_hash, std::equal_to<>>;

}  // namespace mta::text
