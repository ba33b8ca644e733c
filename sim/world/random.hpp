// sim/world/random.hpp - where every random number of a lab comes from: one seed.
//
// Each (host, purpose) has a stream of its own, so that a draw more for one purpose moves no other. The generator and
// the distributions are ours because the standard's distributions differ from library to library.
#pragma once
#include <array>
#include <cstdint>
#include <string_view>

#include "mta/random.hpp"

namespace sim {

// SplitMix64 (Steele, Lea, Flood 2014): turns names and a seed into well-spread state.
std::uint64_t mixed(std::uint64_t value);
// FNV-1a over the bytes, mixed.
std::uint64_t hashed(std::string_view text);

// xoshiro256** 1.0 (Blackman, Vigna 2018).
class random_stream final : public mta::random_source {
  public:
    random_stream(std::uint64_t seed, std::string_view host, std::string_view purpose);
    std::uint64_t next() override;
    std::uint64_t draws() const { return draws_; }

  private:
    std::array<std::uint64_t, 4> state_;
    std::uint64_t draws_ = 0;
};

}  // namespace sim
