#include "sim/topology/units.hpp"

#include <array>
#include <cmath>
#include <utility>

#include "mta/text/strings.hpp"

namespace sim::topology {
namespace {

struct quantity {
    double value = 0;
    std::string_view unit;
};

// Digits, perhaps a point and digits, and what follows them. Twelve digits on each side are more than any use has.
std::optional<quantity> split_quantity(std::string_view text) {
    constexpr std::size_t most_digits = 12;
    std::size_t at = 0;
    double value = 0;
    while (at < text.size() && mta::text::is_digit(text[at])) value = value * 10 + (text[at++] - '0');
    if (at == 0 || at > most_digits) return std::nullopt;
    if (at < text.size() && text[at] == '.') {
        const std::size_t point = at++;
        double fraction = 0, scale = 1;
        for (; at < text.size() && mta::text::is_digit(text[at]); ++at) {
            fraction = fraction * 10 + (text[at] - '0');
            scale *= 10;
        }
        if (at == point + 1 || at > point + 1 + most_digits) return std::nullopt;
        value += fraction / scale;
    }
    return quantity{value, text.substr(at)};
}

template <std::size_t N>
std::optional<double> factor(const std::array<std::pair<std::string_view, double>, N>& units, std::string_view unit) {
    for (const auto& [name, value] : units)
        if (name == unit) return value;
    return std::nullopt;
}

}  // namespace

std::optional<std::chrono::nanoseconds> parse_duration(std::string_view text) {
    static constexpr std::array<std::pair<std::string_view, double>, 6> units{
        {{"ms", 1e6}, {"", 1e9}, {"s", 1e9}, {"m", 60e9}, {"h", 3600e9}, {"d", 86400e9}}};
    constexpr double longest = 3653 * 86400e9;
    const auto parts = split_quantity(text);
    if (!parts) return std::nullopt;
    const auto unit = factor(units, parts->unit);
    if (!unit || parts->value * *unit > longest) return std::nullopt;
    return std::chrono::nanoseconds(std::llround(parts->value * *unit));
}

std::optional<std::uint64_t> parse_bandwidth(std::string_view text) {
    static constexpr std::array<std::pair<std::string_view, double>, 4> units{
        {{"bit", 1}, {"kbit", 1e3}, {"Mbit", 1e6}, {"Gbit", 1e9}}};
    constexpr double most = 1e15;
    if (text.ends_with("/s")) text.remove_suffix(2);
    const auto parts = split_quantity(text);
    if (!parts) return std::nullopt;
    const auto unit = factor(units, parts->unit);
    if (!unit) return std::nullopt;
    const double bits = parts->value * *unit;
    if (bits < 1 || bits > most) return std::nullopt;
    return static_cast<std::uint64_t>(std::llround(bits));
}

std::optional<double> parse_probability(std::string_view text) {
    const auto parts = split_quantity(text);
    if (!parts || (parts->unit != "" && parts->unit != "%")) return std::nullopt;
    const double value = parts->unit == "%" ? parts->value / 100 : parts->value;
    if (value > 1) return std::nullopt;
    return value;
}

}  // namespace sim::topology
