// cli/command_line.hpp - words of the command line that are no command and no option, and what was probably meant.
#pragma once
#include <optional>
#include <span>
#include <string>

namespace CLI {
class App;
}

namespace cli {

// The first word that none of `app`'s commands knows, as an error message; nothing when all are known. The words are
// without the program's name.
std::optional<std::string> unknown_word(const CLI::App& app, std::span<char* const> words);

}  // namespace cli
