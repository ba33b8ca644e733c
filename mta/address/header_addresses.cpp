#include "mta/address/header_addresses.hpp"

#include <algorithm>

#include "mta/address/token.hpp"

namespace mta::address {
namespace {

// Addresses come one a line; those that fit move up to the line before.
std::string folded(std::string text) {
    constexpr std::size_t width = 70;
    std::size_t line_start = 0;
    for (std::size_t newline = text.find('\n'); newline != std::string::npos; newline = text.find('\n', newline + 1)) {
        const std::size_t begin = newline + 1;
        const std::size_t end = std::min(text.find('\n', begin), text.size());
        if (end - line_start < width) {
            text[newline] = ' ';
        } else {
            line_start = begin;
        }
    }
    return text;
}

std::string with_tabs(std::string_view text) {
    std::string out;
    for (const char c : text) {
        out += c;
        if (c == '\n') out += '\t';
    }
    return out;
}

}  // namespace

std::vector<std::string> recipients_in_header(std::string_view value, std::size_t token_limit) {
    std::vector<std::string> found;
    for (const token& part : parse_addresses(value, token_limit)) {
        if (part.kind == token_kind::address) found.push_back(internalize(part.children));
    }
    return found;
}

rewritten_header rewrite_header(std::string_view name, std::string_view value, std::size_t token_limit,
                                const std::function<std::string(std::string_view)>& rewrite) {
    token_list tokens = parse_addresses(value, token_limit);
    rewritten_header result;
    for (token& part : tokens) {
        if (part.kind != token_kind::address) continue;
        const std::string before = externalize(part.children);
        const std::string after = rewrite(before);
        result.changed |= before != after;
        part.children = scan(after);
    }
    result.text = std::string(name) + ":";
    if (result.changed) {
        result.text += " " + externalize_header(tokens, result.warnings);
        result.text = with_tabs(folded(std::move(result.text)));
    } else {
        result.text += value;
    }
    return result;
}

}  // namespace mta::address
