#include "mta/table/sql_template.hpp"

#include <algorithm>
#include <vector>

#include "mta/text/strings.hpp"

namespace mta::table {
namespace {

struct address_parts {
    explicit address_parts(std::string_view text) : whole(text) {
        const std::size_t at = text.rfind('@');
        qualified = at != text.npos;
        user = text.substr(0, std::min(at, text.size()));
        if (qualified) domain = text.substr(at + 1);
    }

    // The nth label of the domain from the right, from 1; nothing when there are fewer, or no domain.
    std::optional<std::string_view> label(std::size_t n) const {
        const std::vector<std::string_view> labels = text::split(domain, ".");
        if (n > labels.size()) return std::nullopt;
        return labels[labels.size() - n];
    }

    std::string_view whole;
    std::string_view user;
    std::string_view domain;
    bool qualified = false;
};

// What %c is of these parts; nothing when it is lacking.
std::optional<std::string_view> part_of(const address_parts& parts, char c) {
    switch (c) {
        case 's':
            return parts.whole;
        case 'u':
            if (parts.qualified && parts.user.empty()) return std::nullopt;
            return parts.user;
        case 'd':
            if (!parts.qualified) return std::nullopt;
            return parts.domain;
        default:
            return parts.label(static_cast<std::size_t>(c - '0'));
    }
}

std::optional<std::string> expand(std::string_view format, const address_parts& lower_case, const address_parts& key,
                                  const quoter& quote) {
    std::string out;
    for (std::size_t i = 0; i < format.size(); ++i) {
        if (format[i] != '%' || i + 1 == format.size()) {
            out += format[i];
            continue;
        }
        const char c = format[++i];
        if (c == '%') {
            out += c;
            continue;
        }
        const bool of_key = text::upper(c) == c;
        const std::optional<std::string_view> part = part_of(of_key ? key : lower_case, text::lower(c));
        if (!part) return std::nullopt;
        out += quote(*part);
    }
    return out;
}

}  // namespace

bool is_sql_template(std::string_view format) {
    constexpr std::string_view letters = "%sudSUD123456789";
    for (std::size_t i = 0; i < format.size(); ++i) {
        if (format[i] != '%') continue;
        if (++i == format.size() || letters.find(format[i]) == letters.npos) return false;
    }
    return true;
}

std::optional<std::string> expand_query(std::string_view format, std::string_view key, const quoter& quote) {
    const address_parts parts(key);
    return expand(format, parts, parts, quote);
}

std::optional<std::string> expand_result(std::string_view format, std::string_view value, std::string_view key) {
    if (value.empty()) return std::nullopt;
    return expand(format, address_parts(value), address_parts(key),
                  [](std::string_view text) { return std::string(text); });
}

}  // namespace mta::table
