// cli/play.hpp - plays a scenario once in a world, and keeps as plain values what is told of it afterwards.
#pragma once
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "cli/progress.hpp"
#include "cli/world.hpp"
#include "sim/record/received_chain.hpp"
#include "sim/record/run_folder.hpp"
#include "sim/record/trace.hpp"

namespace cli {

struct play_options {
    std::uint64_t seed = 1;
    std::optional<mta::duration> until;
    std::string database;  // path; "" keeps the record in memory
    std::string capture;   // path of a pcapng file, its key log goes beside it; "" for none
    std::size_t most_traces = 3;
    bool verdicts_only = false;  // keeps no text to be told or written: a long run is much cheaper
    bool allow_commands = false;
    bool for_comparison = false;  // keeps the trail and a dump of the record
    std::function<std::unique_ptr<world>(const sim::topology::topology&, const sim::lab::options&)> make =
        make_virtual_world;
};

// A delivered message's own account of its way.
struct delivered_copy {
    std::string host, user;
    std::vector<sim::record::received_header> headers;  // newest first
    std::vector<sim::record::chain_difference> differences;
};
struct told_message {
    sim::record::message_summary summary;
    sim::record::message_trace story;
    std::vector<delivered_copy> copies;
};

struct played {
    std::uint64_t seed = 0;
    mta::time_point began{}, ended{};
    bool over = true;  // false: cut off
    std::size_t steps_begun = 0;
    sim::record::run_results results;                       // as in a run folder; these and what follows are empty
                                                            // where only verdicts are wanted
    std::vector<std::pair<std::string, std::string>> logs;  // host, maillog with the paths that it has there
    std::vector<sim::scenario::verdict> verdicts;
    std::size_t unjudged = 0;  // expectations of steps that were not reached
    std::vector<sim::scenario::violation> violations;
    std::vector<sim::record::message_summary> messages;
    std::vector<told_message> told;  // the first of them
    std::vector<sim::event_loop::mark> trail;
    std::string dump;

    bool held() const;
};

// Writes the record and the capture completely before it returns. Throws sim::record::record_error for a file that
// cannot be begun, std::runtime_error for one that cannot be finished, mta::config::fatal for a configuration that
// cannot be started.
played play(const sim::topology::topology& what, const play_options& options, progress& watch);

// The pcapng file's key log.
std::string key_log_of(const std::string& capture);

}  // namespace cli
