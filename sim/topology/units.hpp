// sim/topology/units.hpp - durations, bandwidths and probabilities as topology files write them.
//
// Each parser takes the whole text or nothing; none rounds, wraps or guesses a unit.
#pragma once
#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

namespace sim::topology {

// "2ms", "3s", "1.5m", "2h", "5d"; a bare number is seconds. At most 10 years.
std::optional<std::chrono::nanoseconds> parse_duration(std::string_view text);
// "10Mbit/s", "64kbit/s", "1Gbit/s", "9600bit/s", with or without "/s"; thousands, not 1024. More than zero.
std::optional<std::uint64_t> parse_bandwidth(std::string_view text);
// "0.1%" or "0.001"; from 0 to 1.
std::optional<double> parse_probability(std::string_view text);

}  // namespace sim::topology
