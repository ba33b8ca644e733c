#include "mta/config/main_cf.hpp"

#include <map>

#include "mta/text/strings.hpp"

namespace mta::config {

std::vector<logical_line> logical_lines(std::string_view text) {
    std::vector<logical_line> lines;
    std::uint32_t number = 0;
    for (std::size_t begin = 0; begin < text.size();) {
        const auto end = std::min(text.find('\n', begin), text.size());
        const auto line = text.substr(begin, end - begin);
        begin = end + 1;
        ++number;
        const auto content = text::trimmed(line);
        // Comments and empty lines neither end nor interrupt a logical line.
        if (content.empty() || content.front() == '#') continue;
        if (text::is_space(line.front()) && !lines.empty()) {
            lines.back().text += line;
            lines.back().last = number;
        } else {
            lines.push_back({std::string(line), number, number});
        }
    }
    // Postfix takes trailing white space off the whole line, not off its pieces.
    for (auto& line : lines) line.text.resize(text::trimmed_right(line.text).size());
    return lines;
}

namespace {

// `name = value`, both trimmed. Returns what is wrong in the words of split_nameval(3), or "".
std::string_view split_definition(std::string_view line, std::string_view& name, std::string_view& value) {
    const auto name_begin = std::min(line.find_first_not_of(" \t\r\n\v\f"), line.size());
    auto name_end = name_begin;
    while (name_end < line.size() && !text::is_space(line[name_end]) && line[name_end] != '=') ++name_end;
    auto equals = name_end;
    while (equals < line.size() && text::is_space(line[equals])) ++equals;
    if (name_end == name_begin) return "missing attribute name";
    if (equals == line.size() || line[equals] != '=') return "missing '=' after attribute name";
    name = line.substr(name_begin, name_end - name_begin);
    value = text::trimmed(line.substr(equals + 1));
    return "";
}

}  // namespace

main_cf read_main_cf(std::string_view text, std::string_view file) {
    main_cf read;
    const auto start = place(file, 0);
    const auto at = [&](std::uint32_t line) { return position{start.file, line, 0}; };
    std::map<std::string, std::string> values;
    for (const auto& line : logical_lines(text)) {
        // A line ends for Postfix at its first NUL.
        const std::string_view content = std::string_view(line.text).substr(0, line.text.find('\0'));
        const auto prefix = std::string(file) + ", line " + std::to_string(line.first) + ": ";
        if (!content.empty() && text::is_space(content.front())) {
            read.found.push_back({at(line.first), severity::warning,
                                  std::string(file) + ": logical line must not start with whitespace: \"" +
                                      std::string(content.substr(0, 30)) + (content.size() > 30 ? "...\"" : "\"")});
            continue;
        }
        std::string_view name;
        std::string_view value;
        if (const auto wrong = split_definition(content, name, value); !wrong.empty()) {
            read.found.push_back({at(line.first), severity::fatal,
                                  prefix + std::string(wrong) + ": \"" + std::string(content) + "\""});
            continue;
        }
        const auto [earlier, is_new] = values.try_emplace(std::string(name), value);
        if (!is_new && earlier->second != value) {
            read.found.push_back({at(line.first), severity::warning,
                                  prefix + "overriding earlier entry: " + std::string(name) + "=" + earlier->second});
            earlier->second = value;
        }
        read.definitions.push_back({std::string(name), std::string(value), at(line.first)});
    }
    return read;
}

}  // namespace mta::config
