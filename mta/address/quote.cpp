#include "mta/address/quote.hpp"

#include <fmt/format.h>

#include "mta/text/char_set.hpp"
#include "mta/text/strings.hpp"

namespace mta::address {
namespace {

bool is_control(char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte < 32 || byte == 127;
}
bool is_eight_bit(char c) {
    return static_cast<unsigned char>(c) > 127;
}

constexpr text::char_set quoted_characters(" ()<>,;:\\\"[]");

// Atoms with single dots between them.
bool is_dot_string(std::string_view local, const quote_flags& flags) {
    if (local.empty() || local.front() == '.' || local.back() == '.') return false;
    for (std::size_t i = 0; i < local.size(); ++i) {
        const char c = local[i];
        if (c == '.' && local[i - 1] == '.') return false;
        if (is_control(c) || quoted_characters.contains(c)) return false;
        if (c == '@' && !flags.expose_at) return false;
        if (is_eight_bit(c) && !flags.eight_bit_clean) return false;
    }
    return true;
}

// Headers keep a newline as it is, SMTP commands cannot.
constexpr std::string_view escaped_821 = "\r\n\"\\";
constexpr std::string_view escaped_822 = "\r\"\\";

void append_quoted(std::string_view local, std::string_view escaped, const quote_flags& flags, std::string& out) {
    out += '"';
    for (const char c : local) {
        if (escaped.find(c) != std::string_view::npos || (is_eight_bit(c) && !flags.eight_bit_clean)) out += '\\';
        out += c;
    }
    out += '"';
}

std::string quote_local(std::string_view address, std::size_t local_size, std::string_view escaped,
                        const quote_flags& flags) {
    const std::string_view local = address.substr(0, local_size);
    if (is_dot_string(local, flags)) return std::string(address);
    std::string out;
    out.reserve(address.size() + 2);
    append_quoted(local, escaped, flags, out);
    out += address.substr(local.size());
    return out;
}

std::string_view until_nul(std::string_view text) {
    return text.substr(0, text.find('\0'));
}

// The colon that ends a source route ("@a,@b:"), or npos.
std::size_t route_end(std::string_view address) {
    return address.starts_with('@') ? address.find(':') : std::string_view::npos;
}

int hexadecimal(char c) {
    if (text::is_digit(c)) return c - '0';
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return -1;
}

void append_utf8(std::uint32_t point, std::string& out) {
    if (point < 0x80) {
        out += static_cast<char>(point);
        return;
    }
    const int more = point < 0x800 ? 1 : point < 0x10000 ? 2 : 3;
    constexpr unsigned char leads[] = {0, 0xC0, 0xE0, 0xF0};
    out += static_cast<char>(leads[more] | (point >> (6 * more)));
    for (int i = more; i-- > 0;) out += static_cast<char>(0x80 | ((point >> (6 * i)) & 0x3F));
}

}  // namespace

std::string quote_821_local(std::string_view address, const quote_flags& flags) {
    address = until_nul(address);
    return quote_local(address, address.rfind('@'), escaped_821, flags);
}

std::string quote_822_local(std::string_view address, const quote_flags& flags) {
    address = until_nul(address);
    std::string route;
    if (const auto colon = route_end(address); colon != std::string_view::npos) {
        route = address.substr(0, colon + 1);
        address.remove_prefix(colon + 1);
    }
    const auto local_size = flags.bare_local_part ? address.size() : address.rfind('@');
    return route + quote_local(address, local_size, escaped_822, flags);
}

std::string path_821(std::string_view address) {
    return address.empty() ? std::string() : quote_821_local(address);
}

std::string path_822(std::string_view address) {
    return address.empty() ? std::string() : quote_822_local(address);
}

std::string unquote_822_local(std::string_view address) {
    address = until_nul(address);
    std::string out;
    std::size_t at = 0;
    if (const auto colon = route_end(address); colon != std::string_view::npos) {
        at = colon + 1;
        out = address.substr(0, at);
    }
    // Text after the last '@' outside quotes is a domain, and stays as it is.
    bool in_quotes = false;
    std::optional<std::pair<std::size_t, std::size_t>> domain;  // where it starts in `out` and in `address`
    for (; at < address.size(); ++at) {
        if (address[at] == '"') {
            in_quotes = !in_quotes;
            continue;
        }
        if (address[at] == '@' && !in_quotes) domain = {out.size(), at};
        if (address[at] == '\\' && ++at == address.size()) break;
        out += address[at];
    }
    if (domain) {
        out.resize(domain->first);
        out += address.substr(domain->second);
    }
    return out;
}

address_parts split_at_domain(std::string_view address) {
    const auto at = address.rfind('@');
    if (at == std::string_view::npos) return {address, std::nullopt};
    return {address.substr(0, at), address.substr(at + 1)};
}

std::string xtext_encode(std::string_view text, std::string_view special) {
    constexpr std::string_view digits = "0123456789ABCDEF";
    std::string out;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (c != '+' && byte > 32 && byte < 127 && special.find(c) == std::string_view::npos) {
            out += c;
        } else {
            out += '+';
            out += digits[byte >> 4];
            out += digits[byte & 15];
        }
    }
    return out;
}

// Malformed UTF-8 stays as it is.
std::string uxtext_encode(std::string_view text, std::string_view special) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto byte = static_cast<unsigned char>(text[i]);
        const int more = byte >= 0xf0 ? 3 : byte >= 0xe0 ? 2 : byte >= 0xc2 ? 1 : 0;
        if (byte < 0x80) {
            const bool plain =
                byte > 32 && byte < 127 && byte != '\\' && special.find(text[i]) == std::string_view::npos;
            out += plain ? std::string(1, text[i]) : fmt::format("\\x{{{:02X}}}", byte);
            continue;
        }
        std::uint32_t point = more == 3 ? byte & 7u : more == 2 ? byte & 15u : byte & 31u;
        std::size_t end = i + 1;
        for (int left = more; left > 0 && end < text.size() && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80;
             --left, ++end)
            point = point << 6 | (static_cast<unsigned char>(text[end]) & 63u);
        const bool whole = more > 0 && end == i + 1 + static_cast<std::size_t>(more);
        out += whole ? fmt::format("\\x{{{:02X}}}", point) : std::string(1, text[i]);
        if (whole) i = end - 1;
    }
    return out;
}

std::optional<std::string> xtext_decode(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '+') {
            out += text[i];
            continue;
        }
        if (i + 2 >= text.size()) return std::nullopt;
        const int high = hexadecimal(text[i + 1]);
        const int low = hexadecimal(text[i + 2]);
        if (high < 0 || low < 0) return std::nullopt;
        out += static_cast<char>(high * 16 + low);
        i += 2;
    }
    return out;
}

std::optional<std::string> uxtext_decode(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '\\' || text.substr(i + 1, 2) != "x{") {
            out += text[i];
            continue;
        }
        std::uint32_t point = 0;
        for (i += 3; i < text.size() && text[i] != '}'; ++i) {
            const int digit = hexadecimal(text[i]);
            if (digit < 0) return std::nullopt;
            point = point * 16 + static_cast<std::uint32_t>(digit);
            if (point > 0x10FFFF) return std::nullopt;
        }
        if (i == text.size()) return std::nullopt;
        append_utf8(point, out);
    }
    return out;
}

}  // namespace mta::address
