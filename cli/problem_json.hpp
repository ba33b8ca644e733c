// cli/problem_json.hpp - problems of files as JSON values, and as lines on standard error.
#pragma once
#include <string_view>
#include <vector>

#include "sim/topology/loader.hpp"

namespace boost::json {
class array;
class value;
}  // namespace boost::json

namespace cli {

boost::json::array problem_values(const std::vector<sim::topology::problem>& problems);
// Any bytes as a JSON string: what is no UTF-8 becomes U+FFFD.
boost::json::value text_value(std::string_view text);

}  // namespace cli
