// cli/commands.hpp - the subcommands: each adds itself to the command line and leaves behind what is to be done.
#pragma once
#include <functional>

namespace CLI {
class App;
}

namespace cli {

inline constexpr const char* version = "0.1.0";

// 0 all expectations held, 1 one did not, 2 the input is wrong, 3 the lab itself failed.
inline constexpr int exit_held = 0, exit_not_held = 1, exit_wrong_input = 2, exit_lab_failed = 3;

void add_run(CLI::App& app, std::function<int()>& chosen);
void add_check(CLI::App& app, std::function<int()>& chosen);
void add_explain(CLI::App& app, std::function<int()>& chosen);
void add_trace(CLI::App& app, std::function<int()>& chosen);
void add_queue(CLI::App& app, std::function<int()>& chosen);
void add_new(CLI::App& app, std::function<int()>& chosen);
void add_schema(CLI::App& app, std::function<int()>& chosen);

}  // namespace cli
