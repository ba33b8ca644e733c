#include "cli/terminal.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <stdexcept>

namespace cli {
namespace {

constexpr std::size_t narrowest = 60, widest = 160;

void check_output() {
    if (errno == EPIPE) return;
    throw std::runtime_error(std::string("standard output cannot be written: ") + std::strerror(errno));
}

}  // namespace

output_style style_of_stdout() {
    output_style style;
    if (isatty(STDOUT_FILENO) == 0) return style;
    const char* no_color = std::getenv("NO_COLOR");
    style.color = no_color == nullptr || *no_color == '\0';
    winsize size{};
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) {
        style.width = std::clamp<std::size_t>(size.ws_col, narrowest, widest);
    }
    return style;
}

bool stderr_is_terminal() {
    return isatty(STDERR_FILENO) != 0;
}

std::string printable(std::string_view text) {
    std::string out(text);
    for (std::size_t i = 0; i < out.size(); ++i) {
        const auto c = static_cast<unsigned char>(out[i]);
        // C1 controls are two bytes in UTF-8.
        const bool c1 = c == 0xc2 && i + 1 < out.size() && static_cast<unsigned char>(out[i + 1]) < 0xa0;
        if (c < ' ' || c == 0x7f || c1) out[i] = '?';
        if (c1) out[++i] = '?';
    }
    return out;
}

std::string painted(std::string_view text, paint how, bool color) {
    constexpr std::array codes = {"1", "2", "32", "33", "31", "36"};
    if (!color) return std::string(text);
    return std::string("\x1b[") + codes[static_cast<std::size_t>(how)] + "m" + std::string(text) + "\x1b[0m";
}

void write_output(std::string_view text) {
    if (std::ferror(stdout) != 0) return;
    errno = 0;
    if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size()) check_output();
}

void flush_output() {
    if (std::ferror(stdout) != 0) return;
    errno = 0;
    if (std::fflush(stdout) != 0) check_output();
}

void complain(std::string_view text) {
    std::fprintf(stderr, "relaylab: %.*s\n", static_cast<int>(text.size()), text.data());
}

}  // namespace cli
