// cli/main.cpp - the relaylab command: reads the command line and hands it to one subcommand.
//
// Exit status: 0 all expectations held, 1 one did not, 2 the input is wrong, 3 the lab itself failed.
#include <CLI/CLI.hpp>

#include <cstdio>
#include <exception>

#include "cli/commands.hpp"
#include "mta/config/problem.hpp"
#include "sim/record/record_error.hpp"

int main(int argc, char** argv) {
    CLI::App app{"relaylab: a laboratory for chains of mail servers", "relaylab"};
    app.require_subcommand(1);
    app.set_help_all_flag("--help-all", "Show help of all commands");
    app.set_version_flag("--version", std::string("relaylab ") + cli::version);

    std::function<int()> chosen;
    cli::add_run(app, chosen);
    cli::add_check(app, chosen);
    cli::add_trace(app, chosen);
    cli::add_new(app, chosen);
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return app.exit(error) == 0 ? cli::exit_held : cli::exit_wrong_input;
    }
    try {
        return chosen();
    } catch (const mta::config::fatal& error) {
        std::fprintf(stderr, "%s: %s\n", error.where().text().c_str(), error.what());
        return cli::exit_wrong_input;
    } catch (const sim::record::record_error& error) {
        std::fprintf(stderr, "relaylab: %s\n", error.what());
        return cli::exit_wrong_input;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "relaylab: the lab failed: %s\n", error.what());
        return cli::exit_lab_failed;
    }
}
