// cli/trace_command.cpp - relaylab trace: a message's way across hosts, from the record of a run.
#include <CLI/CLI.hpp>

#include <cstdio>
#include <filesystem>

#include "cli/commands.hpp"
#include "cli/terminal.hpp"
#include "cli/trace.hpp"

namespace cli {
namespace {

struct trace_options {
    std::string database, message;
    bool json = false;
};

// The record, where a run folder is named.
std::string record_in(const std::string& path) {
    std::error_code error;
    return std::filesystem::is_directory(path, error) ? path + "/run.db" : path;
}

int show(const trace_options& options) {
    const auto record = sim::record::database::open(record_in(options.database));
    const output_style terminal = style_of_stdout();
    trace_style style;
    style.width = terminal.width;
    style.color = terminal.color;
    const trace_output output = trace_command(record, options.message, options.json, style);
    write_output(output.text);
    std::fputs(output.error.c_str(), stderr);
    return output.exit_status;
}

}  // namespace

void add_trace(CLI::App& app, std::function<int()>& chosen) {
    auto options = std::make_shared<trace_options>();
    CLI::App* command = app.add_subcommand("trace", "Show a message's way across hosts");
    command->add_option("DB", options->database, "Record of a run (--db), or a run folder (--out)")->required();
    command->add_option("MESSAGE", options->message,
                        "Message-Id, queue id on any host, or number; without it, all are listed");
    command->add_flag("--json", options->json, "Print one JSON document");
    command->footer(
        "Examples:\n"
        "  relaylab run topologies/open-relay-chain.yaml --db run.db\n"
        "  relaylab trace run.db          the messages of the run\n"
        "  relaylab trace run.db 1        the way of the first");
    command->callback([options, &chosen] { chosen = [options] { return show(*options); }; });
}

}  // namespace cli
