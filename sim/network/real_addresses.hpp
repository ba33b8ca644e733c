// sim/network/real_addresses.hpp - where the addresses of a topology are on this machine: each a loopback address of
// its own.
//
// 192.168.137.2 is 127.168.137.2: the last three bytes stay, so that a reader of `ss -tln` knows them again. What would
// fall on 127.0.0.0/24, where the machine's own services are, or on another's place moves on to the next free one. The
// loopback addresses of a topology's machine are its alone, so its 127.0.0.1 has a place of its own too. All are in
// 127.0.0.0/8, which Linux serves without any configuration and never sends out.
#pragma once
#include <map>
#include <optional>
#include <utility>

#include "mta/address/ip_address.hpp"

namespace sim::network {

class real_addresses {
  public:
    using ip_address = mta::address::ip_address;
    // An address as the topology knows it: those of the loopback network belong to a machine, named by its address.
    struct known {
        ip_address machine, address;
        auto operator<=>(const known&) const = default;
    };

    // The same place for the same question, always; `machine` and `address` are IPv4.
    ip_address real(const ip_address& machine, const ip_address& address);
    // Who is at a loopback address; nothing for places that were never given away.
    std::optional<known> topological(const ip_address& real) const;

  private:
    std::map<known, ip_address> places_;
    std::map<ip_address, known> taken_;
};

}  // namespace sim::network
