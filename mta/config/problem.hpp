// mta/config/problem.hpp - where something is written, and what is wrong with it.
//
// `relaylab check` prints lists of `problem`; a running service meets the same wording as a `fatal` exception, which
// ends the service as it does in Postfix. The texts are those that Postfix 3.7 logs, without their "fatal: " or
// "warning: " in front and without the name of the program that says it.
#pragma once
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace mta::config {

// A place in a file of the user's. The file's name is shared by all positions in it. Line and column count from 1;
// 0 means "not known", and a position without a file is that of a built-in default.
struct position {
    std::shared_ptr<const std::string> file;
    std::uint32_t line = 0;
    std::uint32_t column = 0;

    std::string_view file_name() const { return file ? std::string_view(*file) : std::string_view(); }
    std::string text() const;  // "main.cf:12", "lab.yaml:7:9", or "built-in default"
};
position place(std::string_view file, std::uint32_t line, std::uint32_t column = 0);

enum class severity { warning, fatal };

struct problem {
    position where;
    severity level = severity::warning;
    std::string text;
};
using problems = std::vector<problem>;

// What Postfix ends a program with ("fatal: ..."). what() is the text as logged; where() is for the user; warning() is
// the "warning: ..." that Postfix logs just before it, or "".
class fatal : public std::runtime_error {
  public:
    fatal(position where, const std::string& text, std::string warning = {})
        : std::runtime_error(text), where_(std::move(where)), warning_(std::move(warning)) {}
    const position& where() const { return where_; }
    const std::string& warning() const { return warning_; }

  private:
    position where_;
    std::string warning_;
};

}  // namespace mta::config
