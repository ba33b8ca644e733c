// cli/run.cpp - relaylab run: plays a scenario and tells what happened.
#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <unistd.h>

#include <boost/json.hpp>
#include <cstdio>
#include <filesystem>

#include "cli/commands.hpp"
#include "cli/load.hpp"
#include "cli/trace.hpp"
#include "mta/text/strings.hpp"
#include "sim/lab/live_lab.hpp"
#include "sim/lab/virtual_lab.hpp"
#include "sim/record/capture.hpp"
#include "sim/topology/units.hpp"

namespace cli {
namespace {

struct run_options {
    std::string file, out, database, capture, until;
    std::optional<std::uint64_t> seed;
    bool live = false, json = false, check_determinism = false, quiet = false;
    double speed = 1;
};

// Everything one run leaves behind for whoever reports it.
struct outcome {
    sim::record::run_results results;
    std::vector<sim::scenario::verdict> verdicts;
    std::vector<sim::scenario::violation> violations;
    bool over = true;
};

void print_maillogs(const sim::topology::topology& what, const sim::record::run_results& results) {
    for (const auto& host : results.hosts) {
        if (!host.mail_system) continue;
        const auto* declared = what.find_host(host.name);
        fmt::print("== {} ({}) maillog\n{}\n", host.name, declared ? to_string(declared->address) : "", host.maillog);
    }
}

// The Received chain of what was delivered, and where it differs from the record.
void print_received_chain(sim::lab::lab& lab, const sim::record::message_trace& story, std::size_t stop, const std::string& user,
                          const trace_style& style) {
    for (const std::string& message : lab.evidence().mailbox(story.stops[stop].host, user)) {
        const auto headers = sim::record::received_chain(message);
        if (headers.empty() || headers.front().id != story.stops[stop].queue_id) continue;
        fmt::print("-- Received chain in the mailbox of {}, newest first\n", user);
        for (const auto& each : headers) fmt::print("   {}\n", each.text);
        fmt::print("{}\n", differences_text(sim::record::compare_received(headers, story, stop), style));
    }
}

void print_traces(sim::lab::lab& lab, const trace_style& style) {
    auto& database = *lab.recorder().database();
    for (const auto& message : sim::record::messages(database)) {
        const auto story = sim::record::trace(database, message.message);
        fmt::print("== trace of message {} {}\n{}\n", message.number, message.message_id, trace_text(story, style));
        for (std::size_t i = 0; i < story.stops.size(); ++i) {
            for (const auto& each : story.stops[i].deliveries) {
                if (!each.mailbox.empty()) print_received_chain(lab, story, i, each.mailbox, style);
            }
        }
    }
}

void print_verdicts(const outcome& result) {
    if (!result.verdicts.empty()) fmt::print("== expectations\n");
    for (const auto& each : result.verdicts) fmt::print("{} {}\n", each.held ? "held  " : "FAILED", to_string(each));
    for (const auto& each : result.violations) fmt::print("LOST   {}\n", to_string(each));
}

int status_of(const outcome& result) {
    for (const auto& each : result.verdicts) {
        if (!each.held) return exit_not_held;
    }
    return result.violations.empty() ? exit_held : exit_lab_failed;
}

sim::lab::options lab_options(const run_options& options, const sim::topology::topology& what) {
    sim::lab::options how;
    how.seed = options.seed.value_or(what.seed.value_or(1));
    how.record.database_path = options.database;
    return how;
}

// The same in either world: plays, writes what was asked for, and tells.
int play_on(sim::lab::lab& lab, sim::scenario::player& player, const run_options& options, const sim::topology::topology& what) {
    std::unique_ptr<sim::record::run_folder> folder;
    if (!options.out.empty()) folder = std::make_unique<sim::record::run_folder>(options.out);
    std::optional<mta::duration> until;
    if (!options.until.empty()) until = sim::topology::parse_duration(options.until);
    outcome result;
    result.over = lab.play(player, until);
    result.results = lab.results(player);
    result.verdicts.assign(player.verdicts().begin(), player.verdicts().end());
    result.violations = lab.violations();
    if (folder) folder->finish(result.results);
    if (!options.quiet) {
        trace_style style;
        print_maillogs(what, result.results);
        print_traces(lab, style);
    }
    print_verdicts(result);
    if (auto* database = lab.recorder().database(); database && !options.database.empty()) database->close();
    return status_of(result);
}

int run_virtual(const run_options& options, const sim::topology::topology& what) {
    std::unique_ptr<sim::record::capture> capture;
    if (!options.capture.empty()) capture = std::make_unique<sim::record::capture>(options.capture, options.capture + ".keys");
    sim::lab::options how = lab_options(options, what);
    if (capture) how.on_tls_key = [&](std::string_view line) { capture->tls_key(line); };
    sim::lab::virtual_lab lab(what, how);
    lab.net().set_observer(capture.get());
    sim::scenario::player player(lab, what);
    const int status = play_on(lab, player, options, what);
    if (capture) capture->close();
    return status;
}

// For whoever wants to join in: where each machine is, and what is not as the file says.
void print_places(sim::lab::live_lab& lab, const sim::topology::topology& what) {
    for (const std::string& each : lab.not_simulated()) fmt::print(stderr, "warning: {}\n", each);
    const auto print_place = [&](const sim::topology::machine& each) {
        const mta::endpoint place = lab.real(each.name, 25);
        fmt::print(stderr, "live: {} {} port 25 is {} port {}\n", each.name, to_string(each.address), place.address.to_string(), place.port);
    };
    for (const auto& each : what.hosts) print_place(each);
    for (const auto& each : what.servers) print_place(each);
    if (const unsigned distance = lab.net().port_distance(); distance != 0) {
        fmt::print(stderr, "live: every port is {} higher than in the topology: port 25 is taken, or for root alone\n", distance);
    }
}

int run_live(const run_options& options, const sim::topology::topology& what) {
    if (!options.capture.empty()) {
        fmt::print(stderr, "error: --pcap shows the simulated network; of a live lab, `tcpdump -i lo -w {} net 127.0.0.0/8` shows the "
                           "real one\n", options.capture);
        return exit_wrong_input;
    }
    sim::lab::live_options real;
    real.speed = options.speed;
    sim::lab::live_lab lab(what, lab_options(options, what), real);
    print_places(lab, what);
    lab.loop().stop_on_signals();
    sim::scenario::player player(lab, what);
    player.on_progress([](std::size_t step) {
        if (step == 0) fmt::print(stderr, "live: all is up\n");
    });
    return play_on(lab, player, options, what);
}

int run(const run_options& options) {
    const auto loaded = load_topology(options.file);
    print_problems(loaded);
    if (!loaded.ok()) return exit_wrong_input;
    return options.live ? run_live(options, *loaded.value) : run_virtual(options, *loaded.value);
}

}  // namespace

void add_run(CLI::App& app, std::function<int()>& chosen) {
    auto options = std::make_shared<run_options>();
    CLI::App* command = app.add_subcommand("run", "Play a topology's scenario and tell what happened");
    command->add_option("FILE", options->file, "Topology or scenario file (YAML)")->required();
    command->add_option("--seed", options->seed, "Seed of everything random; the file's own, or 1");
    command->add_option("--out", options->out, "Folder for maillogs, mailboxes, queues and dialogues");
    command->add_option("--db", options->database, "SQLite file for the record of the run");
    command->add_option("--pcap", options->capture, "pcapng file for the traffic; a key log goes beside it");
    command->add_option("--until", options->until, "Stop after this much virtual time (90s, 6h, 5d)");
    CLI::Option* live = command->add_flag("--live", options->live, "On real sockets of the loopback interface, in real time");
    command->add_option("--speed", options->speed, "Seconds of a live lab for one of the clock on the wall")
        ->check(CLI::Range(sim::real_loop::slowest, sim::real_loop::fastest))
        ->needs(live);
    command->add_flag("--quiet", options->quiet, "Print the verdicts alone");
    command->callback([options, &chosen] { chosen = [options] { return run(*options); }; });
}

}  // namespace cli
