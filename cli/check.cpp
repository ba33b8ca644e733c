// cli/check.cpp - relaylab check: what is wrong with a topology, or with the main.cf and master.cf of a real server.
#include <fmt/format.h>
#include <unistd.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <filesystem>

#include "cli/commands.hpp"
#include "cli/load.hpp"
#include "cli/problem_json.hpp"
#include "cli/terminal.hpp"
#include "sim/lab/check.hpp"

namespace cli {
namespace {

struct check_options {
    std::string path;
    bool json = false;
};

std::string host_name() {
    std::array<char, 256> name{};
    if (::gethostname(name.data(), name.size() - 1) != 0) return "localhost";
    return name.data();
}

// A folder with a main.cf, or that file itself.
std::optional<std::string> configuration_folder(const std::string& path) {
    std::error_code error;
    if (std::filesystem::is_directory(path, error)) return path;
    const std::filesystem::path file(path);
    if (file.filename() != "main.cf" && file.filename() != "master.cf") return std::nullopt;
    return file.has_parent_path() ? file.parent_path().string() : ".";
}

std::string summary(const std::string& path, std::size_t errors, std::size_t warnings) {
    const auto count = [](std::size_t n, const char* what) {
        return fmt::format("{} {}{}", n == 0 ? "no" : std::to_string(n), what, n == 1 ? "" : "s");
    };
    return fmt::format("{}: {}, {}\n", path, count(errors, "error"), count(warnings, "warning"));
}

int check(const check_options& options) {
    sim::topology::load_result found;
    if (auto folder = configuration_folder(options.path)) {
        while (folder->size() > 1 && folder->back() == '/') folder->pop_back();
        found.problems = sim::lab::check_folder(*folder, host_name());
    } else {
        found = load_topology(options.path);
    }
    const auto count_of = [&](sim::topology::severity level) {
        return static_cast<std::size_t>(std::count_if(found.problems.begin(), found.problems.end(),
                                                      [&](const auto& each) { return each.level == level; }));
    };
    const std::size_t errors = count_of(sim::topology::severity::error);
    const std::size_t warnings = count_of(sim::topology::severity::warning);
    const int status = errors == 0 ? exit_held : exit_wrong_input;
    if (options.json) {
        boost::json::object out;
        out["relaylab"] = version;
        out["file"] = text_value(options.path);
        out["exit_status"] = status;
        out["errors"] = errors;
        out["warnings"] = warnings;
        out["left_out"] = found.left_out;
        out["problems"] = problem_values(found.problems);
        write_output(boost::json::serialize(out) + "\n");
        return status;
    }
    print_problems(found, all_problems);
    write_output(summary(options.path, errors, warnings));
    return status;
}

}  // namespace

void add_check(CLI::App& app, std::function<int()>& chosen) {
    auto options = std::make_shared<check_options>();
    CLI::App* command =
        app.add_subcommand("check", "Say what is wrong with a topology, or with a Postfix configuration");
    command->add_option("FILE", options->path, "Topology file, or a folder with main.cf and master.cf")->required();
    command->add_flag("--json", options->json, "Print one JSON document");
    command->footer(
        "Says what Postfix would complain about, and what this lab does not simulate, with the\n"
        "file and line of each. Plays nothing.\n\n"
        "Exit status: 0 no errors, 2 errors.\n\n"
        "Examples:\n"
        "  relaylab check topologies/open-relay-chain.yaml\n"
        "  relaylab check /etc/postfix");
    command->callback([options, &chosen] { chosen = [options] { return check(*options); }; });
}

}  // namespace cli
