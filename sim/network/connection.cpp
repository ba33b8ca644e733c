#include "sim/network/connection.hpp"

#include <algorithm>
#include <cstring>

namespace sim::network {
namespace {

constexpr std::size_t window = 65'536;         // bytes: a socket's buffers without window scaling
constexpr std::size_t packet_payload = 1'460;  // of an Ethernet frame
constexpr std::size_t packet_overhead = 78;    // Ethernet, IPv4 and TCP around it
constexpr mta::duration first_retransmission = std::chrono::milliseconds(200);  // TCP_RTO_MIN
constexpr mta::duration longest_retransmission = std::chrono::seconds(120);     // TCP_RTO_MAX
constexpr int retransmissions_limit = 15;                                       // tcp_retries2: 924.6 s in all

mta::duration retransmission_delay(int tries) {
    mta::duration delay = first_retransmission;
    for (int i = 0; i < tries && delay < longest_retransmission; ++i) delay *= 2;
    return std::min(delay, longest_retransmission);
}

}  // namespace

// The application's handle.
class connection::end final : public mta::byte_stream {
  public:
    end(std::shared_ptr<sim::network::connection> owner, side which) : owner_(std::move(owner)), side_(which) {
        read_watch_.owner = write_watch_.owner = this;
        write_watch_.writes = true;
    }
    ~end() override { owner_->closed(side_); }

    bool start_read(mta::io_operation& operation) override {
        direction& on = incoming();
        if (owner_->take_read(on, operation)) return true;
        on.reader = &operation;
        read_watch_.until(operation.deadline);
        return false;
    }
    bool start_write(mta::io_operation& operation) override {
        direction& on = outgoing();
        if (owner_->take_write(on, operation)) return true;
        on.writer = &operation;
        write_watch_.until(operation.deadline);
        return false;
    }
    void cancel(mta::io_operation& operation) override {
        if (incoming().reader == &operation) incoming().reader = nullptr;
        if (outgoing().writer == &operation) outgoing().writer = nullptr;
    }
    void shut_down_write() override {
        if (!outgoing().finished) owner_->send(outgoing(), {}, kind::end);
    }
    void abort() override { owner_->send_reset(side_); }
    std::uint64_t connection() const override { return owner_->number(); }

  private:
    // Deadlines are watched lazily: a timer that is armed early enough stays where it is, and looks again when it
    // fires.
    struct watch final : mta::timer {
        end* owner = nullptr;
        bool writes = false;
        void until(mta::time_point deadline) {
            if (deadline == mta::never || (armed() && due() <= deadline)) return;
            owner->loop().arm(*this, deadline);
        }
        void expired() override {
            direction& on = writes ? owner->outgoing() : owner->incoming();
            mta::io_operation*& waiting = writes ? on.writer : on.reader;
            if (!waiting) return;
            if (waiting->deadline > owner->loop().now()) return until(waiting->deadline);
            mta::io_operation& late = *waiting;
            waiting = nullptr;
            late.result = {0, mta::io_error::timed_out};
            late.completed();
        }
    };
    direction& incoming() { return owner_->sent_by(other(side_)); }
    direction& outgoing() { return owner_->sent_by(side_); }
    event_loop& loop() { return owner_->net_.loop(); }

    std::shared_ptr<sim::network::connection> owner_;
    side side_;
    watch read_watch_, write_watch_;
};

connection::connection(fabric& net, std::uint64_t number, const mta::endpoint& from, const mta::endpoint& to,
                       const quality& link)
    : net_(net), number_(number), from_(from), to_(to), link_(link) {
    for (const side which : {client, server}) {
        directions_[which].owner = this;
        directions_[which].from = which;
        directions_[which].wake_reader.on = directions_[which].wake_writer.on = &directions_[which];
        directions_[which].wake_writer.writes = true;
        // Initial sequence numbers that differ from connection to connection, as a reader of captures expects.
        directions_[which].sequence = directions_[which].acknowledged =
            static_cast<std::uint32_t>(mixed(number * 2 + which));
    }
}

std::unique_ptr<mta::byte_stream> connection::open(side which) {
    auto stream = std::make_unique<end>(shared_from_this(), which);
    ends_[which] = stream.get();
    opened_[which] = true;
    return stream;
}

std::size_t connection::direction::window_left() const {
    const std::size_t used = bytes_in_flight + unread();
    return used < window ? window - used : 0;
}

void connection::show(side from, std::uint8_t flags, std::uint32_t sequence, std::string_view payload) {
    net_.loop().note(number_ * 4 + from + (std::uint64_t{flags} << 40) + (std::uint64_t{payload.size()} << 16));
    if (!net_.observer_) return;
    const mta::endpoint& source = endpoint_of(from);
    const mta::endpoint& destination = endpoint_of(other(from));
    const std::uint32_t acknowledged = flags & tcp_ack ? directions_[other(from)].acknowledged : 0;
    const segment shown{net_.loop().now(),
                        {source.address, source.port},
                        {destination.address, destination.port},
                        flags,
                        sequence,
                        acknowledged,
                        payload};
    net_.observer_->tcp(shown);
}

void connection::show_handshake() {
    direction& out = directions_[client];
    direction& back = directions_[server];
    show(client, tcp_syn, out.sequence, {});
    out.acknowledged = ++out.sequence;
    show(server, tcp_syn | tcp_ack, back.sequence, {});
    back.acknowledged = ++back.sequence;
    show(client, tcp_ack, out.sequence, {});
}

void connection::refuse_late() {
    send_reset(server);
}

void connection::send(direction& on, std::string bytes, kind what) {
    on.finished = what == kind::end;
    if (on.write_error != mta::io_error::none) return;
    const std::size_t packets = bytes.size() / packet_payload + 1;
    mta::time_point leaves = std::max(net_.loop().now(), on.link_free);
    if (link_.bits_per_second != 0) {
        const std::uint64_t bits = 8 * (bytes.size() + packets * packet_overhead);
        leaves += mta::duration(
            static_cast<std::int64_t>(static_cast<double>(bits) * 1e9 / static_cast<double>(link_.bits_per_second)));
        on.link_free = leaves;
    }
    mta::time_point arrives = leaves + link_.latency;
    if (link_.loss > 0) {
        int tries = 0;  // a burst is held up by its losses one after the other
        for (std::size_t packet = 0; packet < packets; ++packet) {
            while (tries < retransmissions_limit && net_.loss_.chance(link_.loss))
                arrives += retransmission_delay(tries++);
        }
    }
    show(on.from, static_cast<std::uint8_t>(what == kind::end ? tcp_fin | tcp_ack : tcp_psh | tcp_ack), on.sequence,
         bytes);
    on.sequence += static_cast<std::uint32_t>(bytes.size()) + (what == kind::end ? 1 : 0);
    on.bytes_in_flight += bytes.size();
    put_in_flight(on, burst{arrives, std::move(bytes), what});
}

// The socket of one side is dropped: what it sent before still arrives, then the reset.
void connection::send_reset(side from) {
    if (dead_[from]) return;
    direction& on = sent_by(from);
    show(from, tcp_rst | tcp_ack, on.sequence, {});
    end_socket(from, mta::io_error::reset);
    put_in_flight(on, burst{net_.loop().now() + link_.latency, {}, kind::reset});
}

void connection::put_in_flight(direction& on, burst next) {
    if (on.first_in_flight < on.in_flight.size()) next.arrives = std::max(next.arrives, on.in_flight.back().arrives);
    const mta::time_point arrives = next.arrives;
    on.in_flight.push_back(std::move(next));
    if (!on.armed()) net_.loop().arm(on, arrives);
}

void connection::arrived(direction& on) {
    const side receiver = other(on.from);
    if (!net_.reaches(endpoint_of(on.from).address, endpoint_of(receiver).address)) return retransmit_later(on);
    on.retransmissions = 0;
    const burst next = std::move(on.in_flight[on.first_in_flight++]);
    if (on.first_in_flight == on.in_flight.size()) {
        on.in_flight.clear();
        on.first_in_flight = 0;
    } else {
        net_.loop().arm(on, std::max(on.in_flight[on.first_in_flight].arrives, net_.loop().now()));
    }
    on.bytes_in_flight -= next.bytes.size();
    on.acknowledged += static_cast<std::uint32_t>(next.bytes.size()) + (next.kind == kind::end ? 1 : 0);
    if (gone(receiver)) return arrived_at_nobody(receiver, next.kind);
    if (next.kind == kind::reset) return end_socket(receiver, mta::io_error::reset);
    show(receiver, tcp_ack, directions_[receiver].sequence, {});
    if (next.kind == kind::end) on.arrived_end = true;
    if (on.read_begin == on.received.size()) {
        on.received = next.bytes;
        on.read_begin = 0;
    } else {
        on.received += next.bytes;
    }
    finish_reader(on);
}

// The machine answers for an application that has closed: to an end with its acknowledgement, to bytes with a reset.
void connection::arrived_at_nobody(side receiver, kind what) {
    if (dead_[receiver]) return;
    if (what == kind::end) show(receiver, tcp_ack, directions_[receiver].sequence, {});
    if (what == kind::data) send_reset(receiver);
    if (what == kind::reset) dead_[receiver] = true;
}

void connection::retransmit_later(direction& on) {
    if (on.retransmissions > retransmissions_limit) {
        forget_in_flight(on);
        return end_socket(on.from, mta::io_error::timed_out);
    }
    net_.loop().arm(on, net_.loop().now() + retransmission_delay(on.retransmissions++));
}

void connection::forget_in_flight(direction& on) {
    on.in_flight.clear();
    on.first_in_flight = on.bytes_in_flight = 0;
    if (on.armed()) net_.loop().disarm(on);
}

// Both operations of one side end with this error, once what has come before it is read.
void connection::end_socket(side which, mta::io_error error) {
    direction& out = sent_by(which);
    direction& in = sent_by(other(which));
    dead_[which] = true;
    if (out.write_error == mta::io_error::none) out.write_error = error;
    if (in.read_error == mta::io_error::none) in.read_error = error;
    if (out.writer) net_.loop().post(out.wake_writer);
    if (in.reader) net_.loop().post(in.wake_reader);
}

bool connection::take_read(direction& on, mta::io_operation& into) {
    if (into.size == 0) {
        into.result = {};
        return true;
    }
    if (const std::size_t available = on.unread(); available > 0) {
        const std::size_t taken = std::min(available, into.size);
        std::memcpy(into.data, on.received.data() + on.read_begin, taken);
        on.read_begin += taken;
        into.result = {taken, mta::io_error::none};
        if (on.read_begin == on.received.size()) {
            on.read_begin = 0;
            on.received.clear();
        }
        if (on.writer) net_.loop().post(on.wake_writer);
        return true;
    }
    if (on.read_error != mta::io_error::none || on.arrived_end) {
        into.result = {0, on.arrived_end ? mta::io_error::end_of_stream : on.read_error};
        return true;
    }
    return false;
}

bool connection::take_write(direction& on, mta::io_operation& from) {
    if (on.write_error != mta::io_error::none || on.finished) {
        from.result = {0, on.finished ? mta::io_error::reset : on.write_error};
        return true;
    }
    const std::size_t taken = std::min(on.window_left(), from.size);
    if (taken == 0 && from.size > 0) return false;
    from.result = {taken, mta::io_error::none};
    if (taken > 0) send(on, std::string(from.data, taken), kind::data);
    return true;
}

void connection::finish_reader(direction& on) {
    if (!on.reader || !take_read(on, *on.reader)) return;
    const auto keep = shared_from_this();
    std::exchange(on.reader, nullptr)->completed();
}

void connection::finish_writer(direction& on) {
    if (!on.writer || !take_write(on, *on.writer)) return;
    const auto keep = shared_from_this();
    std::exchange(on.writer, nullptr)->completed();
}

void connection::closed(side which) {
    ends_[which] = nullptr;
    direction& out = sent_by(which);
    direction& in = sent_by(other(which));
    out.writer = nullptr;
    in.reader = nullptr;
    if (dead_[which]) return;
    if (in.unread() > 0) {
        send_reset(which);  // as TCP does when there is something that nobody read
    } else if (!out.finished) {
        send(out, {}, kind::end);
    }
}

}  // namespace sim::network
