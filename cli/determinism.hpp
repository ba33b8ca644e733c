// cli/determinism.hpp - two runs of one seed held against each other: what differs, and when it began to.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "cli/play.hpp"

namespace cli {

struct determinism_result {
    std::optional<mta::time_point> diverged;  // the first step of the event loop in which the runs were not the same
    std::vector<std::string> differences;     // "maillog of mail.york.cc, line 7: ..."; at most ten
    std::size_t steps = 0;                    // compared
    bool same() const { return !diverged && differences.empty(); }
};

// The captures are files, "" where there is none.
struct compared_run {
    const played& run;
    std::string capture;
};
// Throws std::runtime_error for a capture that cannot be read again.
determinism_result compare_runs(const compared_run& one, const compared_run& other);
std::string determinism_text(const determinism_result& found);

}  // namespace cli
