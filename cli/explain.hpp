// cli/explain.hpp - the parts of relaylab explain: how a verdict, a table of verdicts and a route look.
#pragma once
#include <string>

#include "cli/terminal.hpp"
#include "sim/lab/route_report.hpp"
#include "sim/lab/verdict_matrix.hpp"
#include "sim/lab/verdict_report.hpp"

namespace cli {

std::string verdict_text(const sim::lab::verdict_report& report, const output_style& style);
std::string verdict_json(const sim::lab::verdict_report& report, int exit_status);

std::string matrix_line(const sim::lab::matrix_row& row, const sim::lab::examiner::verdict& got);

std::string route_text(const sim::lab::route_report& report, const output_style& style);
std::string route_json(const sim::lab::route_report& report, int exit_status);

}  // namespace cli
