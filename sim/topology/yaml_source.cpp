#include "sim/topology/yaml_source.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "mta/text/strings.hpp"

namespace sim::topology {

yaml_source::yaml_source(std::string_view text, std::string file) : text_(text), file_(std::move(file)) {
    starts_.push_back(0);
    for (std::size_t i = 0; i < text.size(); ++i)
        if (text[i] == '\n') starts_.push_back(i + 1);
}

std::string_view yaml_source::line(std::size_t index) const {
    if (index >= starts_.size()) return {};
    const std::size_t end = index + 1 < starts_.size() ? starts_[index + 1] - 1 : text_.size();
    return text_.substr(starts_[index], end - starts_[index]);
}

position yaml_source::place(std::size_t line_index, std::size_t byte) const {
    // A line may be the whole file: go on from the last place, forth or back, instead of counting each line anew.
    if (line_index != counted_.line) counted_ = {line_index, 0, 0};
    const auto text = line(line_index);
    // A mark past the end of its line (the end of the file) keeps its distance.
    const auto begins_character = [&](std::size_t at) { return at >= text.size() || (text[at] & 0xC0) != 0x80; };
    while (counted_.byte < byte) counted_.characters += begins_character(counted_.byte++) ? 1 : 0;
    while (counted_.byte > byte) counted_.characters -= begins_character(--counted_.byte) ? 1 : 0;
    return {file_, static_cast<int>(line_index) + 1, static_cast<int>(counted_.characters) + 1};
}

position yaml_source::place(yaml_mark mark) const {
    if (mark.line < 0 || mark.column < 0) return {file_, 1, 1};
    return place(static_cast<std::size_t>(mark.line), static_cast<std::size_t>(mark.column));
}

position yaml_source::place_of_offset(std::size_t offset) const {
    const auto after = std::upper_bound(starts_.begin(), starts_.end(), offset);
    const auto index = static_cast<std::size_t>(after - starts_.begin()) - 1;
    return place(index, offset - starts_[index]);
}

std::size_t yaml_source::offset_of(yaml_mark mark) const {
    if (mark.line < 0 || mark.column < 0 || static_cast<std::size_t>(mark.line) >= starts_.size()) return text_.size();
    return std::min(text_.size(), starts_[static_cast<std::size_t>(mark.line)] + static_cast<std::size_t>(mark.column));
}

position yaml_source::place_before(yaml_mark mark) const {
    const std::size_t offset = offset_of(mark);
    if (offset < text_.size() && (text_[offset] == '~' || mta::text::lower(text_[offset]) == 'n')) return place(mark);
    const auto before = text_.substr(0, offset).find_last_not_of(" \t\r\n");
    return before == std::string_view::npos ? place(mark) : place_of_offset(before);
}

std::size_t yaml_source::content_offset(yaml_mark mark) const {
    std::size_t at = offset_of(mark);
    while (at < text_.size() && (text_[at] == '&' || text_[at] == '!')) {
        at = std::min(text_.size(), text_.find_first_of(" \t\r\n", at));
        at = std::min(text_.size(), text_.find_first_not_of(" \t\r\n", at));
    }
    return at;
}

bool yaml_source::quotes_close(yaml_mark mark) const {
    std::size_t at = content_offset(mark);
    if (at >= text_.size() || (text_[at] != '"' && text_[at] != '\'')) return true;
    const char quote = text_[at];
    for (++at; at < text_.size(); ++at) {
        const bool doubled = quote == '\'' && text_[at] == quote && at + 1 < text_.size() && text_[at + 1] == quote;
        if ((quote == '"' && text_[at] == '\\') || doubled)
            ++at;
        else if (text_[at] == quote)
            return true;
    }
    return false;
}

bool yaml_source::is_literal_block(yaml_mark mark) const {
    const std::size_t at = content_offset(mark);
    return at < text_.size() && text_[at] == '|';
}

namespace {

// The length of the UTF-8 character (RFC 3629) at the front of `text`, or 0.
std::size_t utf8_length(std::string_view text) {
    const auto byte = [&](std::size_t i) -> unsigned {
        return i < text.size() ? static_cast<unsigned char>(text[i]) : 0;
    };
    const unsigned first = byte(0);
    if (first < 0x80) return 1;
    const std::size_t length = first >= 0xC2 && first <= 0xDF   ? 2
                               : first >= 0xE0 && first <= 0xEF ? 3
                               : first >= 0xF0 && first <= 0xF4 ? 4
                                                                : 0;
    for (std::size_t i = 1; i < length; ++i)
        if ((byte(i) & 0xC0) != 0x80) return 0;
    const unsigned second = byte(1);
    const bool overlong = (first == 0xE0 && second < 0xA0) || (first == 0xF0 && second < 0x90);
    const bool beyond = (first == 0xED && second > 0x9F) || (first == 0xF4 && second > 0x8F);
    return overlong || beyond ? 0 : length;
}

// yaml-cpp's words, and what they mean to someone who writes a topology.
constexpr std::array<std::pair<std::string_view, std::string_view>, 14> explanations{{
    {"illegal tab when looking for indentation", "a tab where indentation should be; use spaces"},
    {"illegal map value",
     "a \":\" where no value can stand; put text that contains \": \" in quotes, and begin each key on a line "
     "of its own"},
    {"illegal map key", "a key cannot stand here; begin it on a line of its own, as far in as its neighbours"},
    {"illegal block entry", "a list entry \"- \" cannot begin here; put it on a line of its own"},
    {"the referenced anchor is not defined",
     "this alias names no anchor above it; write \"&name\" where the value first "
     "stands, or put the text in quotes"},
    {"illegal EOF in scalar", "the file ends within quotes; close them"},
    {"illegal document indicator in scalar", "\"---\" or \"...\" within quotes; close the quotes before it"},
    {"unknown token", "a value cannot begin with this character; put it in quotes"},
    {"end of map not found",
     "this line is indented like none of those above it; align it with the key it belongs beside"},
    {"end of sequence not found",
     "this line is indented like none of those above it; align it with the list it belongs to"},
    {"end of sequence flow not found",
     "this \"[\" is never closed; add \"]\", and put entries that contain , [ ] { } in quotes"},
    {"end of map flow not found",
     "this \"{\" is never closed; add \"}\", and put values that contain , [ ] { } in quotes"},
    {"illegal flow end", "a closing bracket that nothing opened; remove it, or put the text in quotes"},
    {"unknown escape character: ", "a backslash before a character that needs none; use single quotes, or write \\\\"},
}};

}  // namespace

std::optional<problem> find_bad_byte(std::string_view text, const yaml_source& from) {
    for (std::size_t i = 0; i < text.size();) {
        const char c = text[i];
        const auto complain = [&](std::string what) {
            return problem{from.place_of_offset(i), severity::error, std::move(what)};
        };
        if (c == '\0') return complain("a NUL byte; save the file as UTF-8 text");
        if (c == '\r' && (i + 1 == text.size() || text[i + 1] != '\n'))
            return complain("a carriage return within a line; end lines with a newline");
        if ((static_cast<unsigned char>(c) < 0x20 && c != '\t' && c != '\n' && c != '\r') || c == 0x7F)
            return complain("a control character; remove it, or write it as an escape in double quotes");
        const std::size_t length = utf8_length(text.substr(i));
        if (length == 0) return complain("not UTF-8; save the file as UTF-8 text");
        i += length;
    }
    return std::nullopt;
}

std::string explain_yaml_error(std::string_view message) {
    for (const auto& [theirs, ours] : explanations)
        if (message == theirs || (theirs.ends_with(": ") && message.starts_with(theirs))) return std::string(ours);
    return "this is not YAML (" + std::string(message.substr(0, 120)) + "); compare it with the lines above";
}

}  // namespace sim::topology
