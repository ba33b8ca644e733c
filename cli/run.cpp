// cli/run.cpp - relaylab run: plays a scenario, writes what was asked for, and tells what happened.
//
// Places to write to are tried before the run; what is told is told when all files are complete. Exit status: see
// commands.hpp.
#include <fmt/format.h>
#include <stdlib.h>
#include <CLI/CLI.hpp>

#include <boost/json.hpp>
#include <filesystem>

#include "cli/commands.hpp"
#include "cli/determinism.hpp"
#include "cli/live_world.hpp"
#include "cli/load.hpp"
#include "cli/play.hpp"
#include "cli/problem_json.hpp"
#include "cli/report.hpp"
#include "cli/terminal.hpp"
#include "sim/topology/units.hpp"

namespace cli {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t most_warnings = 20;
constexpr std::size_t traces_for_people = 3, traces_for_programs = 1000;

struct run_options {
    std::string file, out, database, capture, until;
    std::optional<std::uint64_t> seed;
    bool json = false, check_determinism = false, quiet = false, allow_commands = false, live = false;
    double speed = 1;
};

// Where the run writes while it lasts, and what goes into the run folder besides.
struct places {
    std::unique_ptr<sim::record::run_folder> folder;
    std::string database, capture;
    written_files told;

    explicit places(const run_options& options);
    void finish(const sim::record::run_results& results);
};

// A file beside the run folder may not lie in it: the folder is replaced as a whole. `own` is the name that the
// folder's own copy has; a path that names just that one asks for nothing more.
std::string beside_folder(const std::string& path, const std::string& folder, const std::string& own,
                          const char* option) {
    if (path.empty() || folder.empty()) return path;
    const auto wanted = fs::absolute(path).lexically_normal(), home = fs::absolute(folder + "/").lexically_normal();
    const auto inside = wanted.lexically_relative(home);
    if (inside.empty() || *inside.begin() == "..") return path;
    if (inside == own) return {};
    throw sim::record::record_error(fmt::format(
        "{}: lies in the run folder, which is replaced as a whole; name {} a file elsewhere, or leave it to {}/{}",
        path, option, folder, own));
}

places::places(const run_options& options) {
    database = beside_folder(options.database, options.out, "run.db", "--db");
    capture = beside_folder(options.capture, options.out, "traffic.pcapng", "--pcap");
    told.folder = options.out;
    told.database = database.empty() && !options.out.empty() ? options.out + "/run.db" : database;
    told.capture = capture.empty() ? options.capture : capture;
    if (options.out.empty()) return;
    folder = std::make_unique<sim::record::run_folder>(options.out);
    if (database.empty()) database = folder->staging() / "run.db";
    if (capture.empty() && !options.capture.empty()) capture = folder->staging() / "traffic.pcapng";
}

void places::finish(const sim::record::run_results& results) {
    if (!folder) return;
    const auto bring = [&](const std::string& from, const char* name) {
        const fs::path to = folder->staging() / name;
        if (!from.empty() && fs::path(from) != to) fs::copy_file(from, to);
    };
    bring(database, "run.db");
    bring(capture, "traffic.pcapng");
    if (!capture.empty()) bring(key_log_of(capture), "traffic.pcapng.keys");
    folder->finish(results);
}

// A folder for what is only needed to be compared.
class passing_folder {
  public:
    passing_folder() {
        std::string name = (fs::temp_directory_path() / "relaylab-XXXXXX").string();
        if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error(name + ": cannot make a folder to compare in");
        path_ = name;
    }
    ~passing_folder() {
        std::error_code ignored;
        fs::remove_all(path_, ignored);
    }
    passing_folder(const passing_folder&) = delete;
    passing_folder& operator=(const passing_folder&) = delete;
    const fs::path& path() const { return path_; }

  private:
    fs::path path_;
};

determinism_result play_again(const sim::topology::topology& what, play_options how, const played& first, bool quiet) {
    const passing_folder aside;
    const std::string capture = how.capture;
    how.database.clear();
    if (!capture.empty()) how.capture = aside.path() / "traffic.pcapng";
    progress watch("playing again", quiet ? progress::visibility::hidden : progress::visibility::shown);
    const played second = play(what, how, watch);
    return compare_runs({first, capture}, {second, how.capture});
}

int status_of(const run_report& report) {
    if (!report.run.violations.empty() || (report.determinism && !report.determinism->same())) return exit_lab_failed;
    return report.run.held() ? exit_held : exit_not_held;
}

// The place where a daemon would end is worth a word, but no reason not to run: the log shows what Postfix does then.
void demote_errors(std::vector<sim::topology::problem>& problems) {
    std::erase_if(problems, [](const auto& each) { return each.level == sim::topology::severity::note; });
    for (auto& each : problems) {
        if (each.level == sim::topology::severity::warning) continue;
        each.level = sim::topology::severity::warning;
        each.text += " (the programs that read this will not start)";
    }
}

// A file that cannot be played, as a document.
std::string refusal_json(const std::string& file, const sim::topology::load_result& loaded) {
    boost::json::object out;
    out["relaylab"] = version;
    out["file"] = text_value(file);
    out["exit_status"] = exit_wrong_input;
    out["held"] = false;
    out["problems"] = problem_values(loaded.problems);
    return boost::json::serialize(out) + "\n";
}

play_options how_to_play(const run_options& options, const sim::topology::topology& what, const places& to) {
    play_options how;
    how.seed = options.seed.value_or(what.seed.value_or(1));
    if (!options.until.empty()) how.until = sim::topology::parse_duration(options.until);
    how.database = to.database;
    how.capture = to.capture;
    how.most_traces = options.json ? traces_for_programs : traces_for_people;
    how.verdicts_only =
        options.quiet && !options.json && !options.check_determinism && options.out.empty() && to.database.empty();
    how.allow_commands = options.allow_commands;
    how.for_comparison = options.check_determinism;
    if (options.live) {
        live_choice live;
        live.speed = options.speed;
        live.quiet = options.quiet;
        how.make = [live](const auto& topology, const auto& lab) { return make_live_world(topology, lab, live); };
    }
    return how;
}

int play_and_tell(const run_options& options, const sim::topology::topology& what,
                  std::vector<sim::topology::problem> problems) {
    places to(options);
    const play_options how = how_to_play(options, what, to);
    run_report report;
    report.file = options.file;
    report.what = &what;
    report.problems = std::move(problems);
    report.until = options.until;
    {
        progress watch("playing",
                       options.quiet || options.live ? progress::visibility::hidden : progress::visibility::shown);
        report.run = play(what, how, watch);
    }
    if (options.check_determinism) report.determinism = play_again(what, how, report.run, options.quiet);
    try {
        to.finish(report.run.results);
    } catch (const sim::record::record_error& error) {
        throw std::runtime_error(error.what());  // it could be begun, so the input was not wrong
    }
    report.written = to.told;
    report.status = status_of(report);
    write_output(options.json
                     ? report_json(report)
                     : report_text(report, options.quiet ? detail::verdicts : detail::everything, style_of_stdout()));
    return report.status;
}

int run(const run_options& options) {
    auto loaded = load_topology(options.file);
    if (loaded.ok()) demote_errors(loaded.problems);
    print_problems(loaded, most_warnings);
    if (!loaded.ok()) {
        if (options.json) write_output(refusal_json(options.file, loaded));
        return exit_wrong_input;
    }
    return play_and_tell(options, *loaded.value, std::move(loaded.problems));
}

std::string check_duration(const std::string& text) {
    if (sim::topology::parse_duration(text)) return {};
    return "'" + text + "' is no time; write a number with a unit, as in 90s, 30m, 6h or 5d";
}

}  // namespace

void add_run(CLI::App& app, std::function<int()>& chosen) {
    auto options = std::make_shared<run_options>();
    CLI::App* command = app.add_subcommand("run", "Play a topology's scenario and tell what happened");
    command->add_option("FILE", options->file, "Topology or scenario file (YAML)")->required();
    command->add_option("--seed", options->seed, "Seed of everything random (otherwise the file's own, or 1)")
        ->type_name("N");
    command->add_option("--out", options->out, "Write a run folder: maillogs, mailboxes, queues, dialogues, run.db")
        ->type_name("DIR");
    command->add_option("--db", options->database, "Write the record of the run, an SQLite database")
        ->type_name("FILE");
    CLI::Option* capture =
        command
            ->add_option("--pcap", options->capture, "Write the traffic for Wireshark; the TLS keys go into FILE.keys")
            ->type_name("FILE");
    command->add_option("--until", options->until, "Stop after this much virtual time: 90s, 6h, 5d")
        ->type_name("TIME")
        ->check(check_duration);
    CLI::Option* twice = command->add_flag("--check-determinism", options->check_determinism,
                                           "Play twice and compare everything; exit 3 if it differs");
    CLI::Option* live = command->add_flag("--live", options->live, "Play on real loopback sockets, in real time");
    live->excludes(capture)->excludes(twice);
    command
        ->add_option("--speed", options->speed, "Seconds of a live lab for one of the clock on the wall (otherwise 1)")
        ->type_name("X")
        ->check(CLI::Range(slowest_live, fastest_live))
        ->needs(live);
    command->add_flag("--allow-commands", options->allow_commands,
                      "Let pipe(8) and \"|command\" run commands of this machine");
    command->add_flag("--json", options->json, "Print one JSON document");
    command->add_flag("--quiet", options->quiet, "Print the verdicts alone, and no progress");
    command->footer(
        "Prints each host's maillog as Postfix writes it, the way of each message, and whether\n"
        "the file's expectations held.\n\n"
        "Exit status: 0 they held, 1 one did not, 2 the input is wrong, 3 the lab failed.\n\n"
        "Example:\n"
        "  relaylab run topologies/open-relay-chain.yaml --out out --pcap out.pcapng");
    command->callback([options, &chosen] { chosen = [options] { return run(*options); }; });
}

}  // namespace cli
