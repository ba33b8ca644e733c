// cli/new.cpp - relaylab new: writes a commented topology that runs as it stands. Never replaces a file.
#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>

#include "cli/commands.hpp"
#include "cli/terminal.hpp"
#include "sim/topology/loader.hpp"

namespace cli {
namespace {

bool has_yaml_ending(const std::string& name) {
    return name.ends_with(".yaml") || name.ends_with(".yml");
}

int write_new(const std::string& name) {
    const std::string path = has_yaml_ending(name) ? name : name + ".yaml";
    const std::string stem = std::filesystem::path(path).stem().string();
    std::FILE* file = std::fopen(path.c_str(), "wx");
    if (file == nullptr) {
        const bool exists = errno == EEXIST;
        complain(
            fmt::format("{}: {}", path,
                        exists ? "is there already, and is not replaced; choose another name" : std::strerror(errno)));
        return exit_wrong_input;
    }
    const std::string text = sim::topology::new_topology(stem);
    const bool written = std::fwrite(text.data(), 1, text.size(), file) == text.size();
    if (std::fclose(file) != 0 || !written) {
        complain(fmt::format("{}: cannot be written: {}", path, std::strerror(errno)));
        std::remove(path.c_str());
        return exit_lab_failed;
    }
    write_output(
        fmt::format("{}: two servers, a mail from one to the other, and a stranger who is turned away.\n"
                    "Play it:    relaylab run {}\n",
                    path, path));
    return exit_held;
}

}  // namespace

void add_new(CLI::App& app, std::function<int()>& chosen) {
    auto name = std::make_shared<std::string>();
    CLI::App* command = app.add_subcommand("new", "Write a topology to start from");
    command->add_option("NAME", *name, "Name of the file, .yaml is added")->required();
    command->footer("Example:\n  relaylab new lunch\n  relaylab run lunch.yaml");
    command->callback([name, &chosen] { chosen = [name] { return write_new(*name); }; });
}

}  // namespace cli
