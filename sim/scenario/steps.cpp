#include "sim/scenario/steps.hpp"

#include "mta/text/strings.hpp"

namespace sim::scenario {

std::string message_text(const submit& step) {
    if (step.message) return *step.message;
    std::string text = "From: ";
    if (step.header_from)
        text += *step.header_from;
    else
        text += step.from && !step.from->empty() ? *step.from : "MAILER-DAEMON";
    text += "\nTo: ";
    for (std::size_t i = 0; i < step.to.size(); ++i) {
        if (i > 0) text += ", ";
        text += step.to[i];
    }
    text += "\nSubject: " + step.subject;
    for (const auto& [name, value] : step.headers) text += "\n" + name + ": " + value;
    return text + "\n\n" + step.body;
}

namespace {

// The number that `digits` digits of `base` stand for, taken off the front of `text`.
std::optional<std::uint32_t> take_number(std::string_view& text, std::size_t least, std::size_t most, unsigned base) {
    std::uint32_t value = 0;
    std::size_t taken = 0;
    for (; taken < most && taken < text.size(); ++taken) {
        const char c = mta::text::lower(text[taken]);
        const unsigned digit = mta::text::is_digit(c) ? static_cast<unsigned>(c - '0')
                               : c >= 'a' && c <= 'f' ? static_cast<unsigned>(c - 'a' + 10)
                                                      : base;
        if (digit >= base) break;
        value = value * base + digit;
    }
    if (taken < least) return std::nullopt;
    text.remove_prefix(taken);
    return value;
}

// One escape, the backslash already taken. Nothing: broken, or beyond one byte.
std::optional<std::string> decode_escape(std::string_view& text) {
    static constexpr std::string_view letters = "abfnrtv\\'\"", values = "\a\b\f\n\r\t\v\\'\"";
    const char c = text.front();
    if (const auto at = letters.find(c); at != std::string_view::npos) {
        text.remove_prefix(1);
        return std::string(1, values[at]);
    }
    std::optional<std::uint32_t> code;
    if (c >= '0' && c <= '7') {
        code = take_number(text, 1, 3, 8);
    } else if (c == 'x' || c == 'u' || c == 'U') {
        const std::size_t digits = c == 'x' ? 2 : c == 'u' ? 4 : 8;
        text.remove_prefix(1);
        code = take_number(text, digits, digits, 16);
    } else if (c == 'N') {
        return std::nullopt;  // a character by its Unicode name: no name is worth a table here
    } else {
        text.remove_prefix(1);
        if (c == '\n') return std::string();
        return std::string{'\\', c};  // an unknown escape stands for itself
    }
    if (!code || *code > 0xFF) return std::nullopt;
    return std::string(1, static_cast<char>(*code));
}

}  // namespace

std::optional<std::string> decode_raw(std::string_view text) {
    std::string bytes;
    while (!text.empty()) {
        const auto c = static_cast<unsigned char>(text.front());
        text.remove_prefix(1);
        if (c == '\\') {
            if (text.empty()) return std::nullopt;
            const auto decoded = decode_escape(text);
            if (!decoded) return std::nullopt;
            bytes += *decoded;
        } else if (c < 0x80) {
            bytes += static_cast<char>(c);
        } else if ((c == 0xC2 || c == 0xC3) && !text.empty()) {  // U+0080 to U+00FF are two bytes of UTF-8
            bytes += static_cast<char>((c & 3) << 6 | (static_cast<unsigned char>(text.front()) & 63));
            text.remove_prefix(1);
        } else {
            return std::nullopt;
        }
    }
    return bytes;
}

}  // namespace sim::scenario
