// sim/lab/verdict_matrix.hpp - a table of who sends what to whom, in CSV (RFC 4180), and what is expected of it.
//
// A header names the columns; without one they are client, helo, sender, recipient, login, expect. Empty lines and
// those that begin with `#` are left out. A mistake throws mta::config::fatal with its place.
#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace sim::lab {

struct matrix_row {
    std::size_t line = 0;
    std::string client, helo, sender, recipient, login, expect;
};
std::vector<matrix_row> read_matrix(std::string_view text, const std::string& file);

// Whether a reply is what was expected: "accept", "reject" (5xx), "defer" (4xx), a whole reply, or the beginning of one
// and `*`. No expectation is met by everything.
bool meets(std::string_view reply, bool refused, std::string_view expected);

}  // namespace sim::lab
