// mta/random.hpp - the random numbers a mail system asks its host for.
#pragma once
#include <cstdint>

namespace mta {

class random_source {
  public:
    virtual ~random_source() = default;
    virtual std::uint64_t next() = 0;  // 64 uniform bits

    // Uniform in [0, bound), without bias (Lemire 2019); bound > 0.
    std::uint64_t below(std::uint64_t bound) {
        for (;;) {
            __extension__ using wide = unsigned __int128;
            const wide product = static_cast<wide>(next()) * bound;
            const auto low = static_cast<std::uint64_t>(product);
            if (low >= bound || low >= (0 - bound) % bound) return static_cast<std::uint64_t>(product >> 64);
        }
    }
    // True with the given probability, 0 to 1.
    bool chance(double probability) { return static_cast<double>(next() >> 11) * 0x1.0p-53 < probability; }
};

}  // namespace mta
