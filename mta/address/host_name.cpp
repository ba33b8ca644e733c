#include "mta/address/host_name.hpp"

#include <algorithm>
#include <cstdint>
#include <vector>

#include "mta/text/strings.hpp"

namespace mta::address {
namespace {

using fault = std::optional<std::string>;

constexpr std::size_t longest_name = 255;
constexpr std::size_t longest_label = 63;
constexpr std::string_view ipv6_tag = "IPv6:";

std::string_view until_nul(std::string_view text) {
    return text.substr(0, text.find('\0'));
}

// Every warning shows at most the first 100 bytes of its subject.
std::string complaint(std::string_view function, std::string_view what, std::string_view subject) {
    std::string text(function);
    text += ": ";
    text += what;
    text += ": ";
    text += subject.substr(0, 100);
    return text;
}

std::string invalid_character(char c) {
    return "invalid character " + std::to_string(static_cast<unsigned char>(c)) + "(decimal)";
}

// What is wrong with the character at `i`, given the length of its label so far; nothing when it is fine.
std::string_view misplaced(std::string_view name, std::size_t i, std::size_t label_length) {
    const bool last = i + 1 == name.size();
    if (name[i] == '.') return label_length == 0 || last ? "misplaced delimiter" : "";
    if (name[i] == '-') return label_length == 0 || last || name[i + 1] == '.' ? "misplaced hyphen" : "";
    return label_length >= longest_label ? "hostname label too long" : "";
}

// A bound on code points keeps the A-label of hostile text from costing more than its length squared.
std::optional<std::vector<std::uint32_t>> code_points(std::string_view text) {
    if (!valid_utf8(text)) return std::nullopt;
    std::vector<std::uint32_t> points;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if ((byte & 0xC0) != 0x80) {
            points.push_back(byte < 0x80 ? byte : byte < 0xE0 ? byte & 0x1F : byte < 0xF0 ? byte & 0x0F : byte & 0x07);
        } else {
            points.back() = (points.back() << 6) | (byte & 0x3F);
        }
    }
    return points;
}

// RFC 3492, section 6.
std::uint32_t adapted_bias(std::uint32_t delta, std::uint32_t point_count, bool first) {
    delta = first ? delta / 700 : delta / 2;
    delta += delta / point_count;
    std::uint32_t k = 0;
    for (; delta > (36 - 1) * 26 / 2; k += 36) delta /= 36 - 1;
    return k + 36 * delta / (delta + 38);
}

char punycode_digit(std::uint32_t value) {
    return static_cast<char>(value < 26 ? 'a' + value : '0' + value - 26);
}

void append_delta(std::uint32_t delta, std::uint32_t bias, std::string& out) {
    for (std::uint32_t k = 36;; k += 36) {
        const std::uint32_t threshold = k <= bias ? 1 : k >= bias + 26 ? 26 : k - bias;
        if (delta < threshold) break;
        out += punycode_digit(threshold + (delta - threshold) % (36 - threshold));
        delta = (delta - threshold) / (36 - threshold);
    }
    out += punycode_digit(delta);
}

std::string punycode(const std::vector<std::uint32_t>& points) {
    std::string out;
    for (const auto point : points) {
        if (point < 128) out += static_cast<char>(point);
    }
    const auto basic = static_cast<std::uint32_t>(out.size());
    if (basic > 0) out += '-';
    std::uint32_t next = 128;
    std::uint32_t delta = 0;
    std::uint32_t bias = 72;
    for (auto handled = basic; handled < points.size(); ++delta, ++next) {
        std::uint32_t smallest = UINT32_MAX;
        for (const auto point : points) {
            if (point >= next && point < smallest) smallest = point;
        }
        delta += (smallest - next) * (handled + 1);
        next = smallest;
        for (const auto point : points) {
            if (point < next) ++delta;
            if (point != next) continue;
            append_delta(delta, bias, out);
            bias = adapted_bias(delta, handled + 1, handled == basic);
            delta = 0;
            ++handled;
        }
    }
    return out;
}

bool is_dot(std::uint32_t point) {
    return point == '.' || point == 0x3002 || point == 0xFF0E || point == 0xFF61;
}

// The A-label of one label, or nothing for one that cannot be.
std::optional<std::string> label_to_ascii(std::vector<std::uint32_t> label) {
    bool ascii = true;
    for (auto& point : label) {
        if (point < 128) point = static_cast<unsigned char>(text::lower(static_cast<char>(point)));
        ascii = ascii && point < 128;
    }
    if (ascii) return std::string(label.begin(), label.end());
    if (label.size() > longest_label || label.front() == '-' || label.back() == '-') return std::nullopt;
    std::string encoded = "xn--" + punycode(label);
    if (encoded.size() > longest_label) return std::nullopt;
    return encoded;
}

// The seven colons of an IPv6 address and what stands between them.
class ipv6_judge {
  public:
    explicit ipv6_judge(std::string_view text) : text_(text) {}

    fault run() {
        while (at_ < text_.size()) {
            if (text_[at_] == '.') return embedded_ipv4();
            const auto wrong = text_[at_] == ':' ? colon() : digits();
            if (!wrong.empty()) return complain(wrong);
        }
        // The ends are judged last, as the field before a final colon may be the only null one.
        if (colons_ < 2) return complain("too few `:' in IPv6 address");
        if (field_length_ == 0 && !text_.ends_with("::")) {
            return complain("bad null last field in IPv6 address");
        }
        return std::nullopt;
    }

  private:
    fault complain(std::string_view what) const { return complaint("valid_ipv6_hostaddr", what, text_); }

    fault embedded_ipv4() const {
        const bool room = colons_ >= 2 && colons_ <= 6;
        if (!room) return complain("malformed IPv4-in-IPv6 address");
        return ipv4_fault(text_.substr(at_ - field_length_));
    }

    std::string colon() {
        if (at_ == 0 && text_.size() > 1 && text::is_alnum(text_[1])) return "bad null first field in IPv6 address";
        ++colons_;
        if (colons_ > 7) return "too many `:' in IPv6 address";
        ++at_;
        field_length_ = 0;
        if (at_ < text_.size() && text_[at_] == ':' && ++null_fields_ > 1) return "too many `::' in IPv6 address";
        return {};
    }

    std::string digits() {
        const char c = text_[at_];
        const bool hexadecimal = text::is_digit(c) || (text::lower(c) >= 'a' && text::lower(c) <= 'f');
        if (!hexadecimal) return invalid_character(c) + " in IPv6 address";
        if (++field_length_ > 4) return "malformed IPv6 address";
        ++at_;
        return {};
    }

    std::string_view text_;
    std::size_t at_ = 0;
    std::size_t colons_ = 0;
    std::size_t null_fields_ = 0;
    std::size_t field_length_ = 0;
};

}  // namespace

fault hostname_fault(std::string_view name) {
    constexpr std::string_view function = "valid_hostname";
    name = until_nul(name);
    if (name.empty()) return std::string(function) + ": empty hostname";
    std::size_t label_length = 0;
    bool numeric = true;
    for (std::size_t i = 0; i < name.size(); ++i) {
        const char c = name[i];
        if (!text::is_alnum(c) && c != '_' && c != '.' && c != '-')
            return complaint(function, invalid_character(c), name);
        if (const auto what = misplaced(name, i, label_length); !what.empty()) return complaint(function, what, name);
        label_length = c == '.' ? 0 : label_length + 1;
        numeric = numeric && (c == '.' || text::is_digit(c));
    }
    if (numeric) return complaint(function, "numeric hostname", name);
    if (name.size() > longest_name) {
        return std::string(function) + ": bad length " + std::to_string(name.size()) + " for " +
               std::string(name.substr(0, 100)) + "...";
    }
    return std::nullopt;
}

fault ipv4_fault(std::string_view text) {
    constexpr std::string_view function = "valid_ipv4_hostaddr";
    text = until_nul(text);
    std::size_t octet_count = 0;
    unsigned value = 0;
    bool in_octet = false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (text::is_digit(c)) {
            octet_count += in_octet ? 0 : 1;
            value = (in_octet ? value * 10 : 0) + static_cast<unsigned>(c - '0');
            in_octet = true;
            if (value > 255) return complaint(function, "invalid octet value", text);
        } else if (c == '.') {
            if (!in_octet || i + 1 == text.size()) return complaint(function, "misplaced dot", text);
            if (octet_count == 1 && value == 0 && text.find_first_not_of("0.") != std::string_view::npos) {
                return complaint(function, "bad initial octet value", text);
            }
            in_octet = false;
        } else {
            return complaint(function, invalid_character(c), text);
        }
    }
    if (octet_count != 4) return complaint(function, "invalid octet count", text);
    return std::nullopt;
}

fault ipv6_fault(std::string_view text) {
    return ipv6_judge(until_nul(text)).run();
}

fault hostaddr_fault(std::string_view text) {
    text = until_nul(text);
    if (text.empty()) return "valid_hostaddr: empty address";
    return text.find(':') != std::string_view::npos ? ipv6_fault(text) : ipv4_fault(text);
}

fault mailhost_address_fault(std::string_view text) {
    text = until_nul(text);
    if (text::starts_with_ignoring_case(text, ipv6_tag)) return ipv6_fault(text.substr(ipv6_tag.size()));
    return ipv4_fault(text);
}

fault mailhost_literal_fault(std::string_view text) {
    constexpr std::string_view function = "valid_mailhost_literal";
    text = until_nul(text);
    if (!text.starts_with('[')) return complaint(function, "'[' expected at start", text);
    const auto closing = text.find(']');
    if (closing == std::string_view::npos) return complaint(function, "']' expected at end", text);
    if (closing + 1 != text.size()) return complaint(function, "unexpected text after ']'", text);
    return mailhost_address_fault(text.substr(1, closing - 1));
}

fault hostport_fault(std::string_view text) {
    constexpr std::string_view function = "valid_hostport";
    text = until_nul(text);
    if (text.size() > 1 && text.front() == '0') return complaint(function, "leading zero in port number", text);
    if (text.empty() || text.find_first_not_of("0123456789") != std::string_view::npos) {
        return complaint(function, "non-numeric port number", text);
    }
    const auto number = text::to_number(text);
    if (!number || *number > 65535) return complaint(function, "out-of-range port number", text);
    return std::nullopt;
}

bool valid_utf8(std::string_view text) {
    for (std::size_t i = 0; i < text.size();) {
        const auto lead = static_cast<unsigned char>(text[i]);
        const std::size_t more = lead < 0x80   ? 0
                                 : lead < 0xC2 ? 4
                                 : lead < 0xE0 ? 1
                                 : lead < 0xF0 ? 2
                                 : lead < 0xF5 ? 3
                                               : 4;
        if (more == 4 || i + more >= text.size()) return false;
        for (std::size_t k = 1; k <= more; ++k) {
            const auto next = static_cast<unsigned char>(text[i + k]);
            // The first continuation byte rules out overlong forms, surrogates and points past U+10FFFF.
            const unsigned char low = k == 1 && lead == 0xE0 ? 0xA0 : k == 1 && lead == 0xF0 ? 0x90 : 0x80;
            const unsigned char high = k == 1 && lead == 0xED ? 0x9F : k == 1 && lead == 0xF4 ? 0x8F : 0xBF;
            if (next < low || next > high) return false;
        }
        i += more + 1;
    }
    return true;
}

std::optional<std::string> domain_to_ascii(std::string_view name) {
    constexpr std::size_t longest_utf8_name = 4 * longest_name;
    if (name.size() > longest_utf8_name) return std::nullopt;
    const auto points = code_points(name);
    if (!points) return std::nullopt;
    std::string out;
    std::vector<std::uint32_t> label;
    for (std::size_t i = 0; i <= points->size(); ++i) {
        if (i < points->size() && !is_dot((*points)[i])) {
            label.push_back((*points)[i]);
            continue;
        }
        const auto encoded = label_to_ascii(std::move(label));
        if (!encoded) return std::nullopt;
        out += *encoded;
        if (i < points->size()) out += '.';
        label.clear();
    }
    return out;
}

bool valid_utf8_hostname(bool enabled, std::string_view name) {
    name = until_nul(name);
    const bool ascii =
        std::all_of(name.begin(), name.end(), [](char c) { return static_cast<unsigned char>(c) < 128; });
    if (!enabled || ascii) return valid_hostname(name);
    const auto encoded = domain_to_ascii(name);
    return encoded && valid_hostname(*encoded);
}

}  // namespace mta::address
