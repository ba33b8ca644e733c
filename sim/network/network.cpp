#include "sim/network/network.hpp"

#include <algorithm>

#include "sim/network/connection.hpp"

namespace sim::network {
namespace {

// A first packet that gets no answer is sent again after this, twice this, ...
constexpr mta::duration first_retry = std::chrono::seconds(1);
// tcp_syn_retries: 6 of them, then the kernel gives up.
constexpr mta::duration connect_patience = std::chrono::seconds(127);
constexpr std::uint16_t first_ephemeral_port = 32'768;
constexpr std::uint16_t ephemeral_ports = 28'232;

}  // namespace

class fabric::listening final : public mta::listener {
  public:
    listening(fabric& net, port_key key, mta::accept_handler on_accept)
        : net_(net), key_(key), on_accept_(std::move(on_accept)) {
        net_.listening_[key_] = this;
    }
    ~listening() override { net_.listening_.erase(key_); }
    void accept(std::unique_ptr<mta::byte_stream> stream, const mta::endpoint& local, const mta::endpoint& remote) {
        on_accept_(std::move(stream), local, remote);
    }

  private:
    fabric& net_;
    port_key key_;
    mta::accept_handler on_accept_;
};

// A connection that the client has and the server's application does not yet: the last packet of the handshake is on
// its way.
class fabric::pending_accept final : public mta::timer {
  public:
    pending_accept(fabric& net, std::shared_ptr<connection> opened, mta::address::ip_address machine,
                   mta::endpoint local, mta::endpoint remote)
        : net_(net), opened_(std::move(opened)), machine_(machine), local_(local), remote_(remote) {}

  private:
    void expired() override {
        const auto opened = std::move(opened_);
        fabric& net = net_;
        const auto machine = machine_;
        const auto local = local_;
        const auto remote = remote_;
        std::erase_if(net.pending_, [this](const auto& each) { return each.get() == this; });  // deletes this
        if (listening* port = net.listener_at(machine, local)) {
            port->accept(opened->open(connection::server), local, remote);
        } else {
            opened->refuse_late();
        }
    }
    fabric& net_;
    std::shared_ptr<connection> opened_;
    mta::address::ip_address machine_;
    mta::endpoint local_, remote_;
};

fabric::fabric(event_loop& loop, settings values, std::uint64_t seed)
    : loop_(loop),
      settings_(std::move(values)),
      seed_(seed),
      loss_(seed, "network", "loss"),
      local_{mta::duration(0), 0, 0} {}

fabric::~fabric() = default;

void fabric::attach(const mta::address::ip_address& address) {
    machine added;
    random_stream ports(seed_, address.to_string(), "ephemeral-port");
    added.next_port = static_cast<std::uint16_t>(first_ephemeral_port + ports.below(ephemeral_ports));
    machines_.emplace(address, added);
}

void fabric::plug(const mta::address::ip_address& address, bool in) {
    const auto found = machines_.find(address);
    if (found == machines_.end()) return;
    found->second.plugged = in;
    if (!in) found->second.neighbours.clear();
}

bool fabric::plugged(const mta::address::ip_address& address) const {
    const auto found = machines_.find(address);
    return found != machines_.end() && found->second.plugged;
}

bool fabric::reaches(const mta::address::ip_address& from, const mta::address::ip_address& to) const {
    return from == to || from.is_loopback() || to.is_loopback() || (plugged(from) && plugged(to));
}

const quality& fabric::quality_between(const mta::address::ip_address& a, const mta::address::ip_address& b) const {
    if (a == b || b.is_loopback()) return local_;
    for (const cable& each : settings_.cables) {
        const auto fits = [&](const auto& one, const auto& other) {
            return each.one == one && (!each.other || *each.other == other);
        };
        if (fits(a, b) || fits(b, a)) return each.quality;
    }
    return settings_.quality;
}

filter_action settings::filter(const mta::endpoint& source, const mta::endpoint& destination) const {
    for (const filter_rule& each : firewall) {
        const bool fits = each.from.contains(source.address) && each.to.contains(destination.address);
        if (fits && (each.port == 0 || each.port == destination.port)) return each.action;
    }
    return filter_action::accept;
}

bool settings::routes_to(const mta::address::ip_address& address) const {
    if (!subnet.contains(address)) return false;
    const bool has_broadcast = address.is_v4() && subnet.prefix() < address.bit_count() - 1;
    const std::uint32_t host_bits = has_broadcast ? 0xffffffffU >> subnet.prefix() : 0;
    return !has_broadcast || (address.v4_number() & host_bits) != host_bits;
}

mta::address::ip_address destination_of(const mta::address::ip_address& address) {
    if (!address.is_v4() || !address.is_unspecified()) return address;
    return mta::address::ip_address::v4(127, 0, 0, 1);
}

mta::address::ip_address source_for(const mta::address::ip_address& from, const mta::address::ip_address& to) {
    if (!to.is_loopback()) return from;
    return to.is_v4() ? mta::address::ip_address::v4(127, 0, 0, 1) : to;
}

std::optional<mta::duration> fabric::latency(const mta::address::ip_address& from,
                                             const mta::address::ip_address& to) const {
    if (!reaches(from, to)) return std::nullopt;
    return quality_between(from, to).latency;
}

std::uint16_t fabric::next_port(const mta::address::ip_address& address) {
    auto& port = machines_[address].next_port;
    const std::uint16_t chosen = port;
    port = static_cast<std::uint16_t>(first_ephemeral_port + (port - first_ephemeral_port + 1) % ephemeral_ports);
    return chosen;
}

fabric::listening* fabric::listener_at(const mta::address::ip_address& machine, const mta::endpoint& at) {
    for (const auto& address : {at.address, mta::address::ip_address()}) {
        const auto found = listening_.find({machine, address, at.port});
        if (found != listening_.end()) return found->second;
    }
    return nullptr;
}

std::unique_ptr<mta::listener> fabric::listen(const mta::address::ip_address& owner, const mta::endpoint& local,
                                              mta::accept_handler on_accept) {
    const port_key key{owner, local.address, local.port};
    const bool ours = local.address == owner || local.address.is_loopback() || local.address.is_unspecified();
    if (!ours || listening_.contains(key)) return nullptr;
    return std::make_unique<listening>(*this, key, std::move(on_accept));
}

void fabric::meet(const mta::address::ip_address& one, const mta::address::ip_address& other) {
    machines_[one].neighbours[other] = {loop_.now(), std::nullopt};
    machines_[other].neighbours[one] = {loop_.now(), std::nullopt};
}

// When a connection to a machine that is gone ends with "No route to host". Who never met it asks for its hardware
// address at once. Who did goes on sending to the address that it knows, until the first packet after the time of trust
// raises a doubt; once that has become certainty, the next packet begins with a question again.
mta::time_point fabric::no_route_at(const mta::address::ip_address& from, const mta::address::ip_address& to,
                                    mta::time_point give_up) {
    const mta::time_point now = loop_.now();
    auto& known = machines_[from].neighbours;
    const auto found = known.find(to);
    const auto gone = [&] { return found->second.doubted && *found->second.doubted + neighbour_doubt <= now; };
    if (found == known.end() || gone()) return now + neighbour_timeout;
    const auto first_packet_from = [&](mta::time_point least) {
        mta::time_point sent = now;
        for (mta::duration wait = first_retry; sent < least; wait *= 2) sent += wait;
        return sent;
    };
    if (!found->second.doubted) {
        const mta::time_point doubted = first_packet_from(found->second.met + neighbour_trust);
        if (doubted >= give_up) return mta::time_point::max();
        found->second.doubted = doubted;
    }
    return first_packet_from(*found->second.doubted + neighbour_doubt) + neighbour_timeout;
}

// The first packet and its answer, until both came through. False: nothing did before `give_up`. `asks`: the packet
// waits for an answer to the question for the hardware address, which is put once a second.
mta::task<bool> fabric::shake_hands(mta::address::ip_address from, mta::address::ip_address to, quality link,
                                    mta::time_point give_up, bool asks) {
    mta::duration wait = first_retry;
    for (;;) {
        const mta::time_point again = loop_.now() + wait;
        const mta::time_point answered = loop_.now() + 2 * link.latency;
        bool lost = answered > give_up;
        if (link.loss > 0) {
            const bool there = loss_.chance(link.loss);
            const bool back = loss_.chance(link.loss);
            lost = lost || there || back;
        }
        if (!lost) {
            co_await mta::sleep_until(loop_, answered);
            if (reaches(from, to)) co_return true;
        }
        const mta::time_point next = std::min(again, give_up);
        co_await mta::sleep_until(loop_, next);
        if (loop_.now() >= give_up) co_return false;
        if (!asks) wait *= 2;
    }
}

mta::task<mta::connect_result> fabric::connect(mta::address::ip_address from, mta::endpoint remote,
                                               std::optional<mta::address::ip_address> source,
                                               mta::time_point deadline) {
    mta::connect_result result;
    remote.address = destination_of(remote.address);
    const bool local = remote.address == from || remote.address.is_loopback();
    if (!local && (!plugged(from) || !settings_.routes_to(remote.address))) {
        result.error = mta::io_error::network_unreachable;
        co_return result;
    }
    mta::endpoint here;
    const bool may_bind = source && (*source == from || source->is_loopback());
    here.address = may_bind ? *source : source_for(from, remote.address);
    here.port = next_port(from);
    const quality link = quality_between(from, remote.address);
    const filter_action verdict = local ? filter_action::accept : settings_.filter(here, remote);
    const mta::time_point give_up = std::min(deadline, loop_.now() + connect_patience);
    mta::time_point answered = loop_.now() + 2 * link.latency;
    result.error = mta::io_error::timed_out;
    if (verdict == filter_action::drop) {
        answered = give_up;
    } else if (verdict == filter_action::reject) {
        result.error = mta::io_error::refused;
    } else {
        const bool gone = !local && !plugged(remote.address);
        const mta::time_point no_route = gone ? no_route_at(from, remote.address, give_up) : mta::time_point::max();
        const mta::time_point last = std::min(give_up, no_route);
        const bool asks = gone && no_route == loop_.now() + neighbour_timeout;
        const bool shaken = co_await shake_hands(from, remote.address, link, last, asks);
        if (!shaken && no_route <= give_up) result.error = mta::io_error::host_unreachable;
        if (!shaken) co_return result;
        if (!local) meet(from, remote.address);
        result.error = mta::io_error::none;
    }
    if (result.error != mta::io_error::none) {
        if (answered > give_up) {
            answered = give_up;
            result.error = mta::io_error::timed_out;
        }
        co_await mta::sleep_until(loop_, answered);
        co_return result;
    }
    const mta::address::ip_address server = local ? from : remote.address;
    if (!listener_at(server, remote)) {
        result.error = mta::io_error::refused;
        co_return result;
    }
    const auto opened = std::make_shared<connection>(*this, ++connections_, here, remote, link);
    opened->show_handshake();
    result.stream = opened->open(connection::client);
    pending_.push_back(std::make_unique<pending_accept>(*this, opened, server, remote, here));
    loop_.arm(*pending_.back(), loop_.now() + link.latency);
    co_return result;
}

}  // namespace sim::network
