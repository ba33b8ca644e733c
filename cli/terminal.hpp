// cli/terminal.hpp - the streams that people and pipes read: colours where they are wanted, nothing that acts on a
// terminal, and no output lost in silence.
#pragma once
#include <cstdio>
#include <string>
#include <string_view>

namespace cli {

// How text on standard output is to look: colours on a terminal unless NO_COLOR (no-color.org) is set, its width in
// columns.
struct output_style {
    std::size_t width = 100;
    bool color = false;
};
output_style style_of_stdout();

bool stderr_is_terminal();

// What stands in a record may come from anywhere: nothing of it acts on the terminal.
std::string printable(std::string_view text);

enum class paint : unsigned char { bold, dim, green, yellow, red, cyan };
std::string painted(std::string_view text, paint how, bool color);

// Writes to standard output. A reader that has gone away (head, a pager) is no failure: the rest is dropped. Any other
// failure throws std::runtime_error, from here or from flush_output().
void write_output(std::string_view text);
void flush_output();

// "relaylab: TEXT" on standard error.
void complain(std::string_view text);

}  // namespace cli
