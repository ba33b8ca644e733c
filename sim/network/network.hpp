// sim/network/network.hpp - the lab's network: machines, cables, a firewall, and TCP as an application sees it.
//
// A connection costs round trips, carries bytes in order at the pace of its link, stalls when the reader does, and
// fails in the ways that a real one does: refused, no answer, no route, reset, unplugged in the middle. What is lost is
// sent again after the time that TCP would take. Packets themselves are not simulated, except for a capture that asks
// to see them.
#pragma once
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "mta/host.hpp"
#include "sim/network/observer.hpp"
#include "sim/world/event_loop.hpp"
#include "sim/world/random.hpp"

namespace sim::network {

struct quality {
    mta::duration latency = std::chrono::microseconds(500);  // one way
    std::uint64_t bits_per_second = 0;                       // 0: no limit
    double loss = 0;                                         // probability for a packet
};

enum class filter_action : std::uint8_t { accept, drop, reject };
struct filter_rule {
    mta::address::ip_network from, to;
    std::uint16_t port = 0;  // 0: any
    filter_action action = filter_action::drop;
};

struct cable {  // between two addresses, in either direction
    mta::address::ip_address one;
    std::optional<mta::address::ip_address> other;  // nothing: everyone
    network::quality quality;
};

struct settings {
    mta::address::ip_network subnet;
    network::quality quality;
    std::vector<cable> cables;          // the first that fits decides
    std::vector<filter_rule> firewall;  // the first that fits decides
    filter_action filter(const mta::endpoint& source, const mta::endpoint& destination) const;
    // No TCP goes to a broadcast address, nor beyond the subnet.
    bool routes_to(const mta::address::ip_address& address) const;
};

// Where a connection to an address ends up: that to the unspecified one at the machine itself.
mta::address::ip_address destination_of(const mta::address::ip_address& address);
// The address that a machine speaks from when nobody chose one.
mta::address::ip_address source_for(const mta::address::ip_address& from, const mta::address::ip_address& to);

// How long Linux asks for a hardware address before it says "No route to host".
inline constexpr mta::duration neighbour_timeout = std::chrono::seconds(3);
// How long it believes in one that it has (half to one and a half times as long, by chance), and how long it then goes
// on using it before it is given up (delay_first_probe_time, and three questions).
inline constexpr mta::duration neighbour_trust = std::chrono::seconds(30);
inline constexpr mta::duration neighbour_doubt = std::chrono::seconds(8);

class connection;

class fabric {
  public:
    fabric(event_loop& loop, settings values, std::uint64_t seed);
    ~fabric();

    void attach(const mta::address::ip_address& address);
    void plug(const mta::address::ip_address& address, bool in);
    bool plugged(const mta::address::ip_address& address) const;

    // As mta::Host has them, for the machine with address `from`.
    mta::task<mta::connect_result> connect(mta::address::ip_address from, mta::endpoint remote,
                                           std::optional<mta::address::ip_address> source, mta::time_point deadline);
    std::unique_ptr<mta::listener> listen(const mta::address::ip_address& owner, const mta::endpoint& local,
                                          mta::accept_handler on_accept);
    // One way; nothing where no packet gets through.
    std::optional<mta::duration> latency(const mta::address::ip_address& from,
                                         const mta::address::ip_address& to) const;

    void set_observer(observer* capture) { observer_ = capture; }
    event_loop& loop() { return loop_; }

  private:
    friend class connection;
    class listening;
    class pending_accept;
    struct port_key {
        mta::address::ip_address machine, address;
        std::uint16_t port;
        auto operator<=>(const port_key&) const = default;
    };

    const network::quality& quality_between(const mta::address::ip_address& a, const mta::address::ip_address& b) const;
    listening* listener_at(const mta::address::ip_address& machine, const mta::endpoint& at);
    mta::task<bool> shake_hands(mta::address::ip_address from, mta::address::ip_address to, quality link,
                                mta::time_point give_up, bool asks);
    bool reaches(const mta::address::ip_address& from, const mta::address::ip_address& to) const;
    void meet(const mta::address::ip_address& one, const mta::address::ip_address& other);
    mta::time_point no_route_at(const mta::address::ip_address& from, const mta::address::ip_address& to,
                                mta::time_point give_up);
    std::uint16_t next_port(const mta::address::ip_address& machine);

    struct neighbour {
        mta::time_point met;
        std::optional<mta::time_point> doubted;  // since a packet went to it that was believed no more
    };
    struct machine {
        bool plugged = true;
        std::uint16_t next_port = 0;
        std::map<mta::address::ip_address, neighbour> neighbours;
    };
    event_loop& loop_;
    settings settings_;
    std::uint64_t seed_;
    random_stream loss_;
    std::map<mta::address::ip_address, machine> machines_;
    std::map<port_key, listening*> listening_;
    std::vector<std::unique_ptr<pending_accept>> pending_;
    std::uint64_t connections_ = 0;
    observer* observer_ = nullptr;
    network::quality local_;  // within one machine
};

}  // namespace sim::network
