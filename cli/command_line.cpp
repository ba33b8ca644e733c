#include "cli/command_line.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <string_view>
#include <vector>

#include "mta/text/strings.hpp"

namespace cli {
namespace {

std::string with_suggestion(std::string text, std::string_view word, const std::vector<std::string>& known) {
    const std::vector<std::string_view> candidates(known.begin(), known.end());
    const auto near = mta::text::nearest(word, candidates);
    return near.empty() ? text : text + fmt::format("; did you mean {}?", near);
}

std::vector<std::string> command_names(const CLI::App& app) {
    std::vector<std::string> names;
    for (const CLI::App* each : app.get_subcommands([](const CLI::App*) { return true; }))
        names.push_back(each->get_name());
    return names;
}

std::vector<std::string> option_names(const CLI::App& command) {
    std::vector<std::string> names;
    for (const CLI::Option* each : command.get_options()) {
        for (const std::string& name : each->get_lnames()) names.push_back("--" + name);
    }
    return names;
}

bool is_one_of(std::string_view word, const std::vector<std::string>& names) {
    for (const std::string& each : names) {
        if (each == word) return true;
    }
    return false;
}

}  // namespace

std::optional<std::string> unknown_word(const CLI::App& app, std::span<char* const> words) {
    const CLI::App* command = &app;
    bool is_chosen = false;
    for (const std::string_view word : words) {
        if (word == "--") break;
        if (word.starts_with("--")) {
            const auto name = word.substr(0, word.find('='));
            const auto known = option_names(*command);
            if (is_one_of(name, known)) continue;
            const std::string of = is_chosen ? " " + command->get_name() : "";
            return with_suggestion(fmt::format("{} has no option {}", is_chosen ? command->get_name() : "it", name),
                                   name, known) +
                   fmt::format("\nrelaylab{} --help lists its options", of);
        }
        if (is_chosen || word.starts_with('-')) continue;
        const auto known = command_names(app);
        if (!is_one_of(word, known)) {
            return with_suggestion(fmt::format("there is no command {}", word), word, known) +
                   "\nrelaylab --help lists the commands";
        }
        command = app.get_subcommand(std::string(word));
        is_chosen = true;
    }
    return std::nullopt;
}

}  // namespace cli
