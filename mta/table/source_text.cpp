#include "mta/table/source_text.hpp"

#include <algorithm>
#include <utility>

#include "mta/text/strings.hpp"

namespace mta::table {

using text::is_space;

namespace {

bool is_comment_or_blank(std::string_view line) {
    const auto* const first = std::find_if_not(line.begin(), line.end(), is_space);
    return first == line.end() || *first == '#';
}

std::string leading_space_warning(std::string_view file, std::string_view line) {
    constexpr std::size_t shown = 30;
    return std::string(file) + ": logical line must not start with whitespace: \"" + printable(line.substr(0, shown)) +
           (line.size() > shown ? "..." : "") + '"';
}

// The length of the UTF-8 sequence at `text`'s beginning (RFC 3629), or 0.
std::size_t utf8_sequence(std::string_view text) {
    const auto at = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const unsigned char lead = at(0);
    if (lead < 0x80) return 1;
    const std::size_t length = lead >= 0xc2 && lead <= 0xdf   ? 2
                               : (lead & 0xf0) == 0xe0        ? 3
                               : lead >= 0xf0 && lead <= 0xf4 ? 4
                                                              : 0;
    if (length == 0 || text.size() < length) return 0;
    for (std::size_t i = 1; i < length; ++i) {
        if ((at(i) & 0xc0) != 0x80) return 0;
    }
    const unsigned char second = at(1);
    const bool overlong = (lead == 0xe0 && second < 0xa0) || (lead == 0xf0 && second < 0x90);
    const bool surrogate_or_beyond = (lead == 0xed && second > 0x9f) || (lead == 0xf4 && second > 0x8f);
    return overlong || surrogate_or_beyond ? 0 : length;
}

}  // namespace

std::vector<logical_line> logical_lines(std::string_view file, std::string_view source,
                                        std::vector<diagnostic>& diagnostics) {
    std::vector<logical_line> lines;
    std::string orphan;  // text that began with white space, with what continues it
    std::size_t orphan_line = 0;
    std::size_t number = 0;
    const auto note_orphan = [&] {
        if (orphan.empty()) return;
        diagnostics.push_back(
            {severity::warning, leading_space_warning(file, orphan), {std::string(file), orphan_line}});
        orphan.clear();
    };
    while (!source.empty()) {
        const std::size_t end = std::min(source.find('\n'), source.size());
        const std::string_view line = source.substr(0, end);
        source.remove_prefix(std::min(end + 1, source.size()));
        ++number;
        if (is_comment_or_blank(line)) continue;
        if (!is_space(line.front())) {
            note_orphan();
            lines.push_back({std::string(line), number});
        } else if (!lines.empty()) {
            lines.back().text += line;
        } else {
            if (orphan.empty()) orphan_line = number;
            orphan += line;
        }
    }
    note_orphan();
    // Postfix holds lines as C strings: nothing after a NUL is seen.
    for (auto& line : lines) line.text.resize(std::min(line.text.find('\0'), line.text.size()));
    return lines;
}

bool is_ascii(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

bool is_utf8(std::string_view text) {
    while (!text.empty()) {
        if (static_cast<unsigned char>(text.front()) < 0x80) {
            text.remove_prefix(1);
            continue;
        }
        const std::size_t length = utf8_sequence(text);
        if (length == 0) return false;
        text.remove_prefix(length);
    }
    return true;
}

std::string printable(std::string_view text) {
    std::string out;
    while (!text.empty()) {
        const std::size_t length = utf8_sequence(text);
        const bool shown = length > 1 || (length == 1 && text.front() >= ' ' && text.front() != '\x7f');
        if (shown) {
            out += text.substr(0, length);
        } else {
            out += '?';
        }
        text.remove_prefix(std::max<std::size_t>(length, 1));
    }
    return out;
}

std::optional<std::size_t> key_length(std::string_view text) {
    bool quoted = false;
    std::size_t i = 0;
    for (; i < text.size(); ++i) {
        if (text[i] == '\\') {
            if (++i == text.size()) break;
        } else if (text[i] == '"') {
            quoted = !quoted;
        } else if (!quoted && is_space(text[i])) {
            break;
        }
    }
    if (quoted) return std::nullopt;
    return std::min(i, text.size());
}

name_value split_name_value(std::string_view source) {
    std::string_view rest = source;
    while (!rest.empty() && is_space(rest.front())) rest.remove_prefix(1);
    bool quoted = false;
    std::size_t end = 0;
    for (; end < rest.size(); ++end) {
        const char c = rest[end];
        if (c == '\\') {
            if (++end == rest.size()) break;
        } else if (c == '"') {
            quoted = !quoted;
        } else if (!quoted && (is_space(c) || c == '=')) {
            break;
        }
    }
    if (quoted) return {{}, {}, "unbalanced '\"'"};
    end = std::min(end, rest.size());
    const std::string_view name = rest.substr(0, end);
    rest.remove_prefix(end);
    while (!rest.empty() && is_space(rest.front())) rest.remove_prefix(1);
    if (rest.empty() || rest.front() != '=') return {{}, {}, "missing '=' after attribute name"};
    return {name, text::trimmed(rest.substr(1)), {}};
}

std::size_t balanced_braces(std::string_view source) {
    std::size_t depth = 0;
    for (std::size_t i = 0; i < source.size(); ++i) {
        if (source[i] == '{') ++depth;
        if (depth == 0) return 0;
        if (source[i] == '}' && --depth == 0) return i + 1;
    }
    return 0;
}

braced inside_braces(std::string_view source) {
    const std::string shown = '"' + std::string(source) + '"';
    if (source.empty() || source.front() != '{') return {{}, "no '{' at start of text in " + shown};
    const std::size_t length = balanced_braces(source);
    if (length == 0) return {text::trimmed(source.substr(1)), "missing '}' in " + shown};
    const std::string_view inside = text::trimmed(source.substr(1, length - 2));
    const std::string_view after = source.substr(length);
    if (std::any_of(after.begin(), after.end(), [](char c) { return !is_space(c); })) {
        return {inside, "syntax error after '}' in " + shown};
    }
    return {inside, {}};
}

inline_text inline_rules(std::string_view specification) {
    braced outer = inside_braces(specification);
    if (!outer.error.empty()) return {{}, std::move(outer.error)};
    inline_text result;
    for (const std::string_view field : text::split_quoting_braces(outer.inside, text::comma_or_space)) {
        braced rule = inside_braces(field);
        if (!rule.error.empty()) return {{}, std::move(rule.error)};
        result.text += rule.inside;
        result.text += '\n';
    }
    return result;
}

}  // namespace mta::table
