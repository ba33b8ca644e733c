// cli/schema.cpp - relaylab schema: the format of topology files for editors (JSON Schema 2020-12).
#include <CLI/CLI.hpp>

#include "cli/commands.hpp"
#include "cli/terminal.hpp"
#include "sim/topology/loader.hpp"

namespace cli {

void add_schema(CLI::App& app, std::function<int()>& chosen) {
    CLI::App* command = app.add_subcommand("schema", "Print the JSON Schema of topology files, for editors");
    command->footer(
        "Example:\n"
        "  relaylab schema > topology.schema.json\n"
        "and as the first line of a topology, for editors with a YAML language server:\n"
        "  # yaml-language-server: $schema=topology.schema.json");
    command->callback([&chosen] {
        chosen = [] {
            write_output(sim::topology::json_schema());
            return exit_held;
        };
    });
}

}  // namespace cli
