// mta/text/char_set.hpp - a set of bytes that is asked byte by byte, as scanners of addresses do: one load an answer.
#pragma once
#include <array>
#include <string_view>

namespace mta::text {

class char_set {
  public:
    constexpr explicit char_set(std::string_view members) {
        for (const char each : members) has_[static_cast<unsigned char>(each)] = true;
    }
    constexpr bool contains(char c) const { return has_[static_cast<unsigned char>(c)]; }

  private:
    std::array<bool, 256> has_{};
};

inline constexpr char_set upper_case("ABCDEFGHIJKLMNOPQRSTUVWXYZ");

}  // namespace mta::text
