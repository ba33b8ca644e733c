// cli/report.hpp - what `relaylab run` tells of a run: as text for people, as one JSON document for programs.
//
// Pure functions of a run; docs/reference/cli.md describes the document.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "cli/determinism.hpp"
#include "cli/play.hpp"
#include "cli/terminal.hpp"
#include "sim/topology/loader.hpp"

namespace cli {

// Where files of the run were put; "" where there is none.
struct written_files {
    std::string folder, database, capture;
};

struct run_report {
    std::string file;
    const sim::topology::topology* what = nullptr;
    std::vector<sim::topology::problem> problems;
    played run;
    std::string until;                              // as given
    std::optional<determinism_result> determinism;  // when it was asked for
    written_files written;
    int status = 0;  // exit status
};

enum class detail : unsigned char { everything, verdicts };
std::string report_text(const run_report& report, detail how_much, const output_style& style);
std::string report_json(const run_report& report);

// "held    delivered to a@b   lab.yaml:7:5"; of one that failed also what was found, and what came nearest.
std::string verdict_line(const sim::scenario::verdict& each, const output_style& style);

}  // namespace cli
