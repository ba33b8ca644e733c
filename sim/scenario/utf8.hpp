// sim/scenario/utf8.hpp - steps through text that should be UTF-8 and may be anything (RFC 3629).
#pragma once
#include <cstddef>
#include <string_view>

namespace sim::scenario {

// Bytes of the well-formed character that starts at `at`; 0 when none does, or at the end.
inline std::size_t character_length(std::string_view text, std::size_t at) {
    if (at >= text.size()) return 0;
    const auto byte = [&](std::size_t i) {
        return at + i < text.size() ? static_cast<unsigned char>(text[at + i]) : 0u;
    };
    const auto follows = [&](std::size_t i, unsigned low = 0x80, unsigned high = 0xbf) {
        return byte(i) >= low && byte(i) <= high;
    };
    const unsigned first = byte(0);
    if (first < 0x80) return 1;
    if (first >= 0xc2 && first <= 0xdf) return follows(1) ? 2 : 0;
    if (first >= 0xe0 && first <= 0xef) {
        const unsigned low = first == 0xe0 ? 0xa0 : 0x80, high = first == 0xed ? 0x9f : 0xbf;
        return follows(1, low, high) && follows(2) ? 3 : 0;
    }
    if (first >= 0xf0 && first <= 0xf4) {
        const unsigned low = first == 0xf0 ? 0x90 : 0x80, high = first == 0xf4 ? 0x8f : 0xbf;
        return follows(1, low, high) && follows(2) && follows(3) ? 4 : 0;
    }
    return 0;
}

// The same, with a byte that belongs to no character counted as one.
inline std::size_t step_length(std::string_view text, std::size_t at) {
    const std::size_t length = character_length(text, at);
    return length == 0 && at < text.size() ? 1 : length;
}

// `text` without its first `count` characters.
inline std::string_view without_characters(std::string_view text, std::size_t count) {
    std::size_t at = 0;
    while (count-- > 0 && at < text.size()) at += step_length(text, at);
    return text.substr(at);
}

}  // namespace sim::scenario
