#include "sim/world/random.hpp"

#include <bit>

namespace sim {

std::uint64_t mixed(std::uint64_t value) {
    value += 0x9e3779b97f4a7c15;
    value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9;
    value = (value ^ (value >> 27)) * 0x94d049bb133111eb;
    return value ^ (value >> 31);
}

std::uint64_t hashed(std::string_view text) {
    std::uint64_t hash = 0xcbf29ce484222325;
    for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
    return mixed(hash);
}

random_stream::random_stream(std::uint64_t seed, std::string_view host, std::string_view purpose) {
    std::uint64_t state = mixed(seed) ^ mixed(hashed(host) + 1) ^ mixed(hashed(purpose) + 2);
    for (auto& word : state_) word = state = mixed(state);
}

std::uint64_t random_stream::next() {
    ++draws_;
    const std::uint64_t result = std::rotl(state_[1] * 5, 7) * 9;
    const std::uint64_t shifted = state_[1] << 17;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= shifted;
    state_[3] = std::rotl(state_[3], 45);
    return result;
}

}  // namespace sim
