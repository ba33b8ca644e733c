// tests/support/seeded_random.hpp - numbers that look random and are the same each time (SplitMix64).
#pragma once
#include <cstdint>

#include "mta/random.hpp"

namespace tests {

class seeded_random final : public mta::random_source {
  public:
    explicit seeded_random(std::uint64_t seed = 0) : state_(seed) {}
    std::uint64_t next() override {
        std::uint64_t z = (state_ += 0x9e3779b97f4a7c15);
        z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
        z = (z ^ z >> 27) * 0x94d049bb133111eb;
        return z ^ z >> 31;
    }

  private:
    std::uint64_t state_;
};

}  // namespace tests
