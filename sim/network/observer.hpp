// sim/network/observer.hpp - what a simulated network tells whoever listens on the wire.
//
// The network calls it for every segment and datagram that is sent, also for those that a link then loses, in the order
// of virtual time. The views in an argument live for the length of the call. An observer has no say in what happens.
#pragma once
#include <cstdint>
#include <string_view>

#include "mta/address/ip_address.hpp"
#include "mta/async/scheduler.hpp"

namespace sim::network {

struct socket_address {
    mta::address::ip_address address;
    std::uint16_t port = 0;
};

// The control bits of RFC 9293 3.1, as they stand in the header.
enum tcp_flags : std::uint8_t { tcp_fin = 0x01, tcp_syn = 0x02, tcp_rst = 0x04, tcp_psh = 0x08, tcp_ack = 0x10 };

struct segment {
    mta::time_point when;
    socket_address from, to;
    std::uint8_t flags = 0;      // tcp_flags, or-ed
    std::uint32_t sequence = 0;  // of the first byte of payload; SYN and FIN count one each
    std::uint32_t acknowledgement = 0;
    std::string_view payload;  // of any length: whoever needs packets cuts it
};

class observer {
  public:
    virtual ~observer() = default;
    virtual void tcp(const segment& sent) = 0;
    virtual void udp(mta::time_point when, const socket_address& from, const socket_address& to,
                     std::string_view payload) = 0;
};

}  // namespace sim::network
