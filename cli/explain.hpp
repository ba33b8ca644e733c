// cli/explain.hpp - the parts of relaylab explain: how a verdict, a table of verdicts and a route look.
#pragma once
#include <string>
#include <vector>

#include "cli/terminal.hpp"
#include "sim/lab/verdict_report.hpp"

namespace cli {

std::string verdict_text(const sim::lab::verdict_report& report, const output_style& style);
std::string verdict_json(const sim::lab::verdict_report& report, int exit_status);

// One line of a matrix: who sends what to whom, and what is expected of it.
struct matrix_row {
    std::size_t line = 0;
    std::string client, helo, sender, recipient, login, expect;
};
// CSV (RFC 4180) with a header that names its columns, or client,helo,sender,recipient in this order. A mistake throws
// mta::config::fatal with its place.
std::vector<matrix_row> read_matrix(std::string_view text, const std::string& file);
// "accept", "reject", "defer", or the beginning of a reply; "*" ends it.
bool meets(const sim::lab::examiner::verdict& got, std::string_view expected);
std::string matrix_line(const matrix_row& row, const sim::lab::examiner::verdict& got);

}  // namespace cli
