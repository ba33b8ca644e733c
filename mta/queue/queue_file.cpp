#include "mta/queue/queue_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace mta::queue {
namespace {

// Digits, then consonants of both cases: no vowels, so that no id is a word (safe_ultostr(3)).
constexpr std::string_view safe_digits = "0123456789BCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz";

std::string in_base(std::uint64_t value, unsigned base, std::size_t width) {
    std::string digits;
    do {
        digits += safe_digits[value % base];
        value /= base;
    } while (value != 0);
    if (digits.size() < width) digits.append(width - digits.size(), '0');
    std::reverse(digits.begin(), digits.end());
    return digits;
}

struct split_time {
    std::uint64_t seconds, microseconds;
};
split_time split(time_point when) {
    const auto microseconds = static_cast<std::uint64_t>(when.time_since_epoch().count() / 1000);
    return {microseconds / 1'000'000, microseconds % 1'000'000};
}

}  // namespace

std::string_view to_string(name queue) {
    constexpr std::array<std::string_view, 6> names = {"maildrop", "incoming", "active", "deferred", "hold", "corrupt"};
    return names[static_cast<std::size_t>(queue)];
}

std::string short_id(time_point arrived, std::uint64_t inode) {
    return fmt::format("{:05X}{:X}", split(arrived).microseconds, inode);
}

std::string long_id(time_point arrived, std::uint64_t inode) {
    const auto [seconds, microseconds] = split(arrived);
    return in_base(seconds, 52, 6) + in_base(microseconds, 52, 4) + "z" + in_base(inode, 51, 0);
}

}  // namespace mta::queue
