#include "sim/network/real_network.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <stdexcept>
#include <vector>

#include "sim/network/real_socket.hpp"
#include "sim/network/real_stream.hpp"

namespace sim::network {
namespace {

using mta::address::ip_address;

// Port 25 is 2525 where 25 itself is not to be had, then 5025, 7525...; below the ports that Linux gives to clients.
constexpr std::uint16_t port_step = 2'500, most_port_distance = 30'000;
// Whoever listens at the address of the subnet itself, which is no machine's, has that port at all its addresses: a lab
// takes this one for its distance, and those that its machines want, lest its 2525 be another's 25.
constexpr std::uint16_t claim_port = 1;
constexpr mta::duration pause_without_descriptors = std::chrono::milliseconds(100);

auto key_of(const mta::endpoint& at) {
    return std::pair(at.address, at.port);
}

void reset(tcp::socket& socket) {
    error_code ignored;
    socket.set_option(tcp::socket::linger(true, 0), ignored);
    socket.close(ignored);
}

}  // namespace

struct real_network::claim {
    std::vector<tcp::acceptor> held;
};

// The sockets that one listener of the topology accepts on: two where it listens on all of a machine's addresses.
class real_network::listening final : public mta::listener {
  public:
    listening(real_network& net, const port_key& key, mta::accept_handler on_accept)
        : net_(net), key_(key), on_accept_(std::move(on_accept)) {}
    ~listening() override {
        if (!doors_.empty()) net_.listening_.erase(key_);
    }

    // False when the port cannot be had.
    bool open() {
        std::vector<ip_address> addresses{key_.address};
        if (key_.address.is_unspecified()) addresses = {key_.machine, ip_address::v4(127, 0, 0, 1)};
        std::vector<std::unique_ptr<door>> opened;
        for (const ip_address& each : addresses) {
            opened.push_back(std::make_unique<door>(*this, mta::endpoint{each, key_.port}));
            if (!opened.back()->open()) return false;
        }
        doors_ = std::move(opened);
        net_.listening_[key_] = this;
        return true;
    }
    // Where a connection to `address` must go.
    const mta::endpoint& place_of(const ip_address& address) const {
        return address.is_loopback() ? doors_.back()->real() : doors_.front()->real();
    }

  private:
    class door final : mta::timer {
      public:
        door(listening& owner, const mta::endpoint& local)
            : owner_(owner),
              local_(local),
              real_(owner.net_.real(owner.key_.machine, local)),
              held_(std::make_shared<held>(held{tcp::acceptor(owner.net_.loop().sockets()), this})) {}
        ~door() override {
            held_->owner = nullptr;
            error_code ignored;
            held_->acceptor.close(ignored);
            std::erase_if(owner_.net_.expected_, [&](const auto& each) { return each.first.second == key_of(real_); });
        }
        bool open() {
            if (real_.port == 0 || listen_at(held_->acceptor, loopback_endpoint(real_))) return false;
            accept_next();
            return true;
        }
        const mta::endpoint& real() const { return real_; }

      private:
        struct held {  // by Asio's handler too
            tcp::acceptor acceptor;
            door* owner;
        };
        void accept_next() {
            held_->acceptor.async_accept([held = held_](const error_code& error, tcp::socket socket) {
                if (held->owner) held->owner->accepted(error, std::move(socket));
            });
        }
        void expired() override { accept_next(); }
        void accepted(const error_code& error, tcp::socket socket) {
            if (error == boost::system::errc::too_many_files_open ||
                error == boost::system::errc::too_many_files_open_in_system) {
                return owner_.net_.loop().arm(*this, owner_.net_.loop().now() + pause_without_descriptors);
            }
            accept_next();
            // Last: whoever gets the connection may close this port.
            if (!error) owner_.hand_over(local_, real_, std::move(socket));
        }

        listening& owner_;
        mta::endpoint local_, real_;
        std::shared_ptr<held> held_;
    };

    void hand_over(const mta::endpoint& local, const mta::endpoint& real, tcp::socket socket) {
        error_code error;
        const tcp::endpoint peer = socket.remote_endpoint(error);
        if (error) return;  // came and went
        const mta::endpoint from = endpoint_of(peer);
        real_path path{0, local, from};
        const auto known = net_.expected_.find({key_of(from), key_of(real)});
        if (known != net_.expected_.end()) {
            path = real_path{known->second.number, known->second.to, known->second.from};
            net_.expected_.erase(known);
        } else {
            const auto machine = net_.addresses_.topological(from.address);
            // Another machine's loopback address is no loopback address here.
            const bool visits = machine && machine->address.is_loopback() && machine->machine != key_.machine;
            path.remote.address = visits ? machine->machine : machine ? machine->address : net_.stranger();
            if (!net_.lets_in(path)) return reset(socket);
            path.number = ++net_.connections_;
        }
        auto stream = std::make_unique<real_stream>(net_, std::move(socket), path);
        on_accept_(std::move(stream), path.local, path.remote);
    }

    real_network& net_;
    port_key key_;
    mta::accept_handler on_accept_;
    std::vector<std::unique_ptr<door>> doors_;
};

real_network::real_network(real_loop& loop, settings values) : loop_(loop), settings_(std::move(values)) {}
real_network::~real_network() = default;

void real_network::attach(const ip_address& address) {
    plugged_.emplace(address, true);
}

void real_network::choose_ports(std::span<const mta::endpoint> wanted) {
    for (std::uint16_t distance = 0; distance <= most_port_distance; distance += port_step) {
        port_distance_ = distance;
        auto mine = claim_ports(wanted);
        if (!mine) continue;
        const bool all = std::ranges::all_of(
            wanted, [&](const mta::endpoint& each) { return can_listen(real(each.address, each)); });
        if (!all) continue;
        claim_ = std::move(mine);
        return;
    }
    throw std::runtime_error(
        fmt::format("no free ports on the loopback addresses of {}: as many labs are running as there is "
                    "room for, or something else listens there (see `ss -tln`)",
                    settings_.subnet.to_string()));
}

std::unique_ptr<real_network::claim> real_network::claim_ports(std::span<const mta::endpoint> wanted) {
    const ip_address& base = settings_.subnet.base();
    std::set<std::uint16_t> ports = {claim_port};
    for (const mta::endpoint& each : wanted) ports.insert(each.port);
    auto mine = std::make_unique<claim>();
    for (const std::uint16_t port : ports) {
        const mta::endpoint place = real(base, mta::endpoint{base, port});
        if (place.port == 0) return nullptr;
        const error_code error = listen_at(mine->held.emplace_back(loop_.sockets()), loopback_endpoint(place));
        check_resources(error);
        if (error) return nullptr;
    }
    return mine;
}

bool real_network::can_listen(const mta::endpoint& real) const {
    tcp::acceptor probe(loop_.sockets());
    return real.port != 0 && !listen_at(probe, loopback_endpoint(real));
}

mta::endpoint real_network::real(const ip_address& machine, const mta::endpoint& there) {
    mta::endpoint result;
    result.address = addresses_.real(machine, there.address);
    // A port that would lie beyond the last one is none.
    const unsigned moved = unsigned{there.port} + port_distance_;
    result.port = moved <= 0xffff ? static_cast<std::uint16_t>(moved) : std::uint16_t{0};
    return result;
}

void real_network::plug(const ip_address& address, bool in) {
    const auto found = plugged_.find(address);
    if (found == plugged_.end() || found->second == in) return;
    found->second = in;
    if (!in) return;
    for (real_stream* each : streams_) each->look_again();
}

bool real_network::plugged(const ip_address& address) const {
    const auto found = plugged_.find(address);
    return found != plugged_.end() && found->second;
}

bool real_network::reaches(const ip_address& from, const ip_address& to) const {
    // Strangers are not of the lab, and have no cable that it could pull.
    const auto pulled = [&](const ip_address& address) {
        const auto found = plugged_.find(address);
        return found != plugged_.end() && !found->second;
    };
    return from == to || from.is_loopback() || (!pulled(from) && !pulled(to));
}

bool real_network::lets_in(const real_path& path) const {
    if (path.local.address.is_loopback() || path.local.address == path.remote.address) return true;
    return reaches(path.local.address, path.remote.address) &&
           settings_.filter(path.remote, path.local) == filter_action::accept;
}

// The last address of the subnet that no machine has.
ip_address real_network::stranger() const {
    const std::uint32_t first = settings_.subnet.base().v4_number();
    const unsigned prefix = settings_.subnet.prefix();
    const std::uint32_t last = first | (prefix == 0    ? ~std::uint32_t{0}
                                        : prefix >= 32 ? 0
                                                       : ~std::uint32_t{0} >> prefix);
    for (std::uint32_t number = last; number-- > first;) {
        const ip_address candidate = ip_address::v4(number);
        if (!plugged_.contains(candidate)) return candidate;
    }
    return ip_address::v4(last);
}

real_network::listening* real_network::listener_at(const ip_address& machine, const mta::endpoint& at) {
    for (const ip_address& address : {at.address, ip_address()}) {
        const auto found = listening_.find({machine, address, at.port});
        if (found != listening_.end()) return found->second;
    }
    return nullptr;
}

std::unique_ptr<mta::listener> real_network::listen(const ip_address& owner, const mta::endpoint& local,
                                                    mta::accept_handler on_accept) {
    const port_key key{owner, local.address, local.port};
    const bool ours = local.address == owner || local.address.is_loopback() || local.address.is_unspecified();
    if (!ours || listening_.contains(key)) return nullptr;
    auto opened = std::make_unique<listening>(*this, key, std::move(on_accept));
    if (!opened->open()) return nullptr;
    return opened;
}

mta::task<mta::connect_result> real_network::connect(ip_address from, mta::endpoint remote,
                                                     std::optional<ip_address> source, mta::time_point deadline) {
    mta::connect_result result;
    remote.address = destination_of(remote.address);
    const bool local = remote.address == from || remote.address.is_loopback();
    if (!local && (!plugged(from) || !settings_.routes_to(remote.address))) {
        result.error = mta::io_error::network_unreachable;
        co_return result;
    }
    real_path path{0, {}, remote};
    path.local.address = source ? *source : source_for(from, remote.address);
    const filter_action verdict = local ? filter_action::accept : settings_.filter(path.local, remote);
    const mta::time_point no_neighbour = loop_.now() + neighbour_timeout;
    mta::time_point answered = loop_.now();
    if (verdict == filter_action::drop) {
        answered = deadline;
        result.error = mta::io_error::timed_out;
    } else if (verdict == filter_action::reject) {
        result.error = mta::io_error::refused;
    } else if (!local && !plugged(remote.address)) {
        answered = std::min(no_neighbour, deadline);
        result.error = no_neighbour <= deadline ? mta::io_error::host_unreachable : mta::io_error::timed_out;
    }
    const listening* port = listener_at(local ? from : remote.address, remote);
    if (result.error == mta::io_error::none && !port) result.error = mta::io_error::refused;
    if (result.error != mta::io_error::none) {
        co_await mta::sleep_until(loop_, answered);
        co_return result;
    }
    const mta::endpoint there = port->place_of(remote.address);
    const mta::endpoint here{addresses_.real(from, path.local.address.is_loopback() ? path.local.address : from), 0};
    const auto socket = std::make_shared<tcp::socket>(loop_.sockets());
    const error_code unopened = open_at(*socket, loopback_endpoint(here));
    check_resources(unopened);
    if (unopened)
        throw std::runtime_error(fmt::format("no socket at {}: {}", here.address.to_string(), unopened.message()));
    const mta::endpoint bound = endpoint_of(socket->local_endpoint());
    path.local.port = bound.port;
    path.number = ++connections_;
    const four_tuple who(key_of(bound), key_of(there));
    expected_.insert_or_assign(who, expected{path.number, path.local, remote});
    const loopback_endpoint place(there);
    const mta::io_error error = co_await connecting(loop_, socket, place, deadline);
    if (error == mta::io_error::none) {
        result.stream = std::make_unique<real_stream>(*this, std::move(*socket), path);
    } else {
        expected_.erase(who);
        result.error = error;
    }
    co_return result;
}

}  // namespace sim::network
