#include "sim/network/real_addresses.hpp"

namespace sim::network {
namespace {

constexpr std::uint32_t loopback_network = 0x7f000000, host_bits = 0x00ffffff;
// A machine's own loopback addresses begin this far from its place: 127.168.137.2 and 127.40.137.2.
constexpr std::uint32_t inner_distance = 0x00800000;

// 127.0.0.0/24 is the machine's own, and 127.255.255.255 its broadcast address.
bool usable(std::uint32_t low) {
    return low > 0xff && low != host_bits;
}

}  // namespace

mta::address::ip_address real_addresses::real(const ip_address& machine, const ip_address& address) {
    const bool inner = address.is_loopback();
    const known who{inner ? machine : address, address};
    if (const auto found = places_.find(who); found != places_.end()) return found->second;
    std::uint32_t low = (inner ? machine.v4_number() ^ inner_distance : address.v4_number()) & host_bits;
    const auto place = [&] { return ip_address::v4(loopback_network | low); };
    if (!usable(low)) low ^= inner_distance;
    while (!usable(low) || taken_.contains(place())) low = (low + 1) & host_bits;
    taken_.emplace(place(), who);
    places_.emplace(who, place());
    return place();
}

std::optional<real_addresses::known> real_addresses::topological(const ip_address& real) const {
    const auto found = taken_.find(real);
    if (found == taken_.end()) return std::nullopt;
    return found->second;
}

}  // namespace sim::network
