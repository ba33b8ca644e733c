// cli/main.cpp - the relaylab command: reads the command line and hands it to one subcommand (commands.hpp).
#include <fmt/format.h>
#include <signal.h>

#include <CLI/CLI.hpp>
#include <exception>

#include "cli/command_line.hpp"
#include "cli/commands.hpp"
#include "cli/terminal.hpp"
#include "mta/config/problem.hpp"
#include "sim/record/record_error.hpp"

namespace {

int parse_and_run(CLI::App& app, std::function<int()>& chosen, int argc, char** argv) {
    const std::span<char* const> words(argv + 1, static_cast<std::size_t>(argc > 0 ? argc - 1 : 0));
    if (const auto unknown = cli::unknown_word(app, words)) {
        cli::complain(*unknown);
        return cli::exit_wrong_input;
    }
    try {
        app.parse(argc, argv);
    } catch (const CLI::Success& asked) {  // --help and its like
        return app.exit(asked);
    } catch (const CLI::ParseError& error) {
        const auto used = app.get_subcommands();
        const std::string command = used.empty() ? "" : " " + used.front()->get_name();
        cli::complain(fmt::format("{}\nrelaylab{} --help tells more", error.what(), command));
        return cli::exit_wrong_input;
    }
    const int status = chosen();
    cli::flush_output();
    return status;
}

}  // namespace

int main(int argc, char** argv) {
    ::signal(SIGPIPE, SIG_IGN);  // a reader that goes away shows in write(2); terminal.hpp
    CLI::App app{
        "relaylab: a laboratory for chains of mail servers. It plays Postfix systems, their DNS and\ntheir network in "
        "virtual time, and shows what becomes of each mail.",
        "relaylab"};
    app.require_subcommand(1);
    app.set_version_flag("--version", std::string("relaylab ") + cli::version);
    app.footer(
        "To begin:\n"
        "  relaylab new lunch && relaylab run lunch.yaml\n\n"
        "relaylab COMMAND --help tells more of each, with an example.");
    std::function<int()> chosen;
    cli::add_run(app, chosen);
    cli::add_check(app, chosen);
    cli::add_explain(app, chosen);
    cli::add_trace(app, chosen);
    cli::add_queue(app, chosen);
    cli::add_new(app, chosen);
    cli::add_schema(app, chosen);
    try {
        return parse_and_run(app, chosen, argc, argv);
    } catch (const mta::config::fatal& error) {
        cli::complain(fmt::format("{}: {}", error.where().text(), error.what()));
        return cli::exit_wrong_input;
    } catch (const sim::record::record_error& error) {
        cli::complain(error.what());
        return cli::exit_wrong_input;
    } catch (const std::exception& error) {
        cli::complain(fmt::format("the lab failed: {}", error.what()));
        return cli::exit_lab_failed;
    }
}
