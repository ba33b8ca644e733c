// sim/network/observer.hpp - what a capture hears of the traffic.
#pragma once
#include <cstdint>
#include <string_view>

#include "mta/address/ip_address.hpp"
#include "mta/async/scheduler.hpp"

namespace sim::network {

struct capture_endpoint {
    mta::address::ip_address address;
    std::uint16_t port = 0;
};

enum tcp_flags : std::uint8_t { tcp_fin = 1, tcp_syn = 2, tcp_rst = 4, tcp_psh = 8, tcp_ack = 16 };

// A segment as it is put on the wire; its payload may exceed what one packet holds.
struct segment {
    mta::time_point when;
    capture_endpoint from, to;
    std::uint8_t flags = 0;
    std::uint32_t sequence = 0, acknowledgement = 0;
    std::string_view payload;
};

class observer {
  public:
    virtual ~observer() = default;
    virtual void tcp(const segment&) = 0;
    virtual void udp(mta::time_point when, const capture_endpoint& from, const capture_endpoint& to, std::string_view payload) = 0;
};

}  // namespace sim::network
