#include "mta/smtp/reply.hpp"

#include <algorithm>

#include "mta/text/strings.hpp"

namespace mta::smtp {
namespace {

// Of a code that says neither yes nor no.
constexpr const char* not_an_answer = "5.5.0";
constexpr std::size_t longest_reply = 2048;  // no line is added to a reply that has grown to so many bytes

}  // namespace

std::string_view enhanced_status(std::string_view text, char digit) {
    if (text.size() < 5 || text[0] != digit || text[1] != '.') return {};
    std::size_t at = 2;
    for (int part = 0; part < 2; ++part) {
        const std::size_t begin = at;
        while (at < text.size() && text::is_digit(text[at])) ++at;
        if (at == begin || at - begin > 3) return {};
        if (part == 0) {
            if (at == text.size() || text[at] != '.') return {};
            ++at;
        }
    }
    if (at < text.size() && !text::is_space(text[at])) return {};
    return text.substr(0, at);
}

std::string reply::one_line() const {
    return text::replaced(text, "\n", " ");
}

reply_parser::line reply_parser::add(std::string_view line) {
    if (result_.text.size() < longest_reply) {
        if (!first_) result_.text += '\n';
        result_.text += line;
    }
    first_ = false;
    const bool has_code =
        line.size() >= 3 && text::is_digit(line[0]) && text::is_digit(line[1]) && text::is_digit(line[2]);
    if (!has_code || (line.size() > 3 && line[3] != ' ' && line[3] != '-')) return line::garbage;
    if (line.size() > 3 && line[3] == '-') return line::more;
    result_.code = (line[0] - '0') * 100 + (line[1] - '0') * 10 + (line[2] - '0');
    result_.dsn = not_an_answer;
    if (line[0] == '2' || line[0] == '4' || line[0] == '5') {
        const std::string_view rest = line.substr(std::min(line.find_first_not_of(' ', 3), line.size()));
        const std::string_view status = enhanced_status(rest, line[0]);
        result_.dsn = status.empty() ? std::string(1, line[0]) + ".0.0" : std::string(status);
    }
    return line::last;
}

}  // namespace mta::smtp
