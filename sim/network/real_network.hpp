// sim/network/real_network.hpp - the network of the live world: TCP over this machine's loopback interface, and no
// other.
//
// It has fabric's interface and speaks the topology's addresses and ports; where these are on the machine is its secret
// (real_addresses.hpp, and one distance that all ports are moved by where they are not to be had). It never binds or
// connects to anything outside of 127.0.0.0/8, and connects only to ports that it listens on itself: what else lives on
// the machine gets no mail of the lab. Others may connect to it; one that comes from a machine's loopback address is
// that machine, and anyone else is a stranger from within the subnet. Missing descriptors are std::runtime_error.
#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <utility>

#include "mta/host.hpp"
#include "sim/network/network.hpp"
#include "sim/network/real_addresses.hpp"
#include "sim/world/real_loop.hpp"

namespace sim::network {

class real_stream;
struct real_path;

class real_network {
  public:
    // Of the settings it uses the subnet and the firewall; cables are as good as the machine makes them.
    real_network(real_loop& loop, settings values);
    real_network(const real_network&) = delete;
    ~real_network();

    void attach(const mta::address::ip_address& address);
    // Finds the distance by which ports are moved: the least at which all of `wanted` can be had and no other lab is.
    // Once, before anything listens. Throws std::runtime_error when there is none.
    void choose_ports(std::span<const mta::endpoint> wanted);

    // What is on the way when a cable is pulled waits in it, as TCP waits, until it is plugged in or the waiting ends.
    void plug(const mta::address::ip_address& address, bool in);
    bool plugged(const mta::address::ip_address& address) const;
    bool reaches(const mta::address::ip_address& from, const mta::address::ip_address& to) const;

    // As mta::Host has them, for the machine with address `from`.
    mta::task<mta::connect_result> connect(mta::address::ip_address from, mta::endpoint remote,
                                           std::optional<mta::address::ip_address> source, mta::time_point deadline);
    std::unique_ptr<mta::listener> listen(const mta::address::ip_address& owner, const mta::endpoint& local,
                                          mta::accept_handler on_accept);

    // Where a machine's endpoint is on this machine.
    mta::endpoint real(const mta::address::ip_address& machine, const mta::endpoint& there);
    std::uint16_t port_distance() const { return port_distance_; }
    real_loop& loop() { return loop_; }

  private:
    friend class real_stream;
    class listening;
    struct claim;
    struct port_key {
        mta::address::ip_address machine, address;
        std::uint16_t port;
        auto operator<=>(const port_key&) const = default;
    };
    // A connection that a machine of this lab opens, for the machine that accepts it.
    struct expected {
        std::uint64_t number;
        mta::endpoint from, to;
    };
    using real_socket_name = std::pair<mta::address::ip_address, std::uint16_t>;
    using four_tuple = std::pair<real_socket_name, real_socket_name>;  // the one who connects, the one who accepts

    // Whether a connection that was not made by a machine of this lab gets through.
    bool lets_in(const real_path& path) const;
    listening* listener_at(const mta::address::ip_address& machine, const mta::endpoint& at);
    std::unique_ptr<claim> claim_ports(std::span<const mta::endpoint> wanted);  // null: another has one of them
    bool can_listen(const mta::endpoint& real) const;
    mta::address::ip_address stranger() const;

    real_loop& loop_;
    settings settings_;
    real_addresses addresses_;
    std::map<mta::address::ip_address, bool> plugged_;
    std::map<port_key, listening*> listening_;
    std::map<four_tuple, expected> expected_;
    std::set<real_stream*> streams_;
    std::unique_ptr<claim> claim_;
    std::uint16_t port_distance_ = 0;
    std::uint64_t connections_ = 0;
};

}  // namespace sim::network
