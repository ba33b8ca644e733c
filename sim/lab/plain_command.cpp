#include "sim/lab/plain_command.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "mta/text/strings.hpp"

namespace sim::lab {
namespace {

namespace text = mta::text;
using words = std::vector<std::string>;

std::string_view base_name(std::string_view path) {
    constexpr std::array<std::string_view, 2> folders = {"/bin/", "/usr/bin/"};
    for (const std::string_view each : folders) {
        if (path.starts_with(each)) return path.substr(each.size());
    }
    return path;
}

std::string joined(const words& all, std::size_t from) {
    std::string out;
    for (std::size_t i = from; i < all.size(); ++i) (out += i > from ? " " : "") += all[i];
    return out;
}

// True when the line goes on after it.
bool run_one(const words& command, const mta::command& program, bool in_shell, mta::command_result& result,
             bool& known) {
    const std::string_view name = base_name(command.front());
    result.exit_status = 0;
    if (name == "false") {
        result.exit_status = 1;
    } else if (name == "echo") {
        result.output += joined(command, 1) + "\n";
    } else if (name == "cat" && command.size() == 1) {
        if (program.input) result.output += *program.input;
    } else if (in_shell && name == "exit") {
        constexpr int status_mask = 0xff;
        const auto status = command.size() > 1 ? text::to_number(command[1]) : 0;
        known = status.has_value();
        result.exit_status = static_cast<int>(status.value_or(0)) & status_mask;
        return false;
    } else if (name != "true" && !(in_shell && name == ":")) {
        known = false;
    }
    return known;
}

// Words of a shell line: quotes taken away; nothing when it has more than that to say.
std::optional<words> shell_words(std::string_view line) {
    words out;
    bool open = false;
    for (std::size_t i = 0; i < line.size(); ++i) {
        const char c = line[i];
        if (text::is_space(c)) {
            open = false;
            continue;
        }
        if (std::string_view("|&<>()$`\\*?[]{}~#").find(c) != std::string_view::npos) return std::nullopt;
        if (!open) out.emplace_back();
        open = true;
        if (c != '"' && c != '\'') {
            out.back() += c;
            continue;
        }
        const auto end = line.find(c, i + 1);
        if (end == std::string_view::npos) return std::nullopt;
        const std::string_view inside = line.substr(i + 1, end - i - 1);
        if (c == '"' && inside.find_first_of("$`\\") != std::string_view::npos) return std::nullopt;
        out.back() += inside;
        i = end;
    }
    return out;
}

std::optional<mta::command_result> run_line(std::string_view line, const mta::command& program) {
    mta::command_result result;
    bool known = true;
    for (std::string_view each : text::split(line, ";\n")) {
        constexpr std::array<std::string_view, 4> nowhere = {">/dev/null", "> /dev/null", "1>/dev/null", ">>/dev/null"};
        each = text::trimmed(each);
        const auto end = std::find_if(nowhere.begin(), nowhere.end(), [&](auto tail) { return each.ends_with(tail); });
        const bool silent = end != nowhere.end();
        if (silent) each.remove_suffix(end->size());
        const auto command = shell_words(each);
        if (!command) return std::nullopt;
        if (command->empty()) continue;
        const std::size_t before = result.output.size();
        const bool goes_on = run_one(*command, program, true, result, known);
        if (!known) return std::nullopt;
        if (silent) result.output.resize(before);
        if (!goes_on) break;
    }
    return result;
}

}  // namespace

std::optional<mta::command_result> run_plain_command(const mta::command& program) {
    const words& all = program.arguments;
    if (all.empty()) return std::nullopt;
    if (all.size() == 3 && all[0] == "/bin/sh" && all[1] == "-c") return run_line(all[2], program);
    mta::command_result result;
    bool known = true;
    run_one(all, program, false, result, known);
    if (!known) return std::nullopt;
    return result;
}

}  // namespace sim::lab
