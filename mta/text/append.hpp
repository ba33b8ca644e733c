// mta/text/append.hpp - several pieces put behind a string in one go: for texts that are made by the million.
#pragma once
#include <algorithm>
#include <initializer_list>
#include <string>
#include <string_view>

namespace mta::text {

// The room is made once, for all of them. The pieces must not be views into `out`.
inline void append(std::string& out, std::initializer_list<std::string_view> pieces) {
    const std::size_t start = out.size();
    std::size_t length = start;
    for (const std::string_view each : pieces) length += each.size();
    out.resize(length);
    char* at = out.data() + start;
    for (const std::string_view each : pieces) at = std::copy(each.begin(), each.end(), at);
}

}  // namespace mta::text
