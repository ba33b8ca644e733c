// tests/sim/network/wire.hpp - two machines and a cable between them, watched by an observer that forgives nothing.
#pragma once
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "mta/stream/byte_stream.hpp"
#include "sim/network/network.hpp"

namespace sim::network {

using namespace std::chrono_literals;
using mta::io_error;
using mta::task;

inline constexpr mta::time_point beginning{std::chrono::seconds(1795183200)};
inline const auto one = mta::address::ip_address::v4(192, 168, 137, 4);
inline const auto two = mta::address::ip_address::v4(192, 168, 137, 5);

inline settings plain(mta::duration latency = 10ms, std::uint64_t bits_per_second = 0, double loss = 0) {
    settings result;
    result.subnet = mta::address::ip_network(one, 24);
    result.quality.latency = latency;
    result.quality.bits_per_second = bits_per_second;
    result.quality.loss = loss;
    return result;
}

// Holds every segment against what was sent before: sequence numbers without gaps, acknowledgements that never go back
// and never beyond what was sent, nothing after a reset.
class strict_observer final : public observer {
  public:
    std::string story;  // flags of each segment, "c" from the client, "s" else
    std::size_t payload = 0;
    void tcp(const segment& sent) override {
        const bool from_client = sent.to.port == 25;
        half& mine = halves_[from_client];
        half& other = halves_[!from_client];
        const bool syn = sent.flags & tcp_syn, fin = sent.flags & tcp_fin, reset = sent.flags & tcp_rst;
        if (syn) {
            EXPECT_FALSE(mine.open) << story;
            mine.next = sent.sequence;
            mine.open = true;
        }
        EXPECT_TRUE(mine.open) << story;
        EXPECT_FALSE(mine.reset) << "after a reset: " << story;
        EXPECT_EQ(sent.sequence, mine.next) << story;
        if (!sent.payload.empty()) {
            EXPECT_FALSE(mine.finished) << story;
        }
        mine.next += static_cast<std::uint32_t>(sent.payload.size()) + (syn ? 1 : 0) + (fin ? 1 : 0);
        mine.finished = mine.finished || fin;
        mine.reset = mine.reset || reset;
        if (sent.flags & tcp_ack) {
            EXPECT_LE(static_cast<std::int32_t>(sent.acknowledgement - other.next), 0)
                << "acknowledges the future: " << story;
            if (other.acknowledged) {
                EXPECT_GE(static_cast<std::int32_t>(sent.acknowledgement - *other.acknowledged), 0) << story;
            }
            other.acknowledged = sent.acknowledgement;
        }
        EXPECT_GE(sent.when, last_);
        last_ = sent.when;
        payload += sent.payload.size();
        story += from_client ? 'c' : 's';
        story += syn ? 'S' : fin ? 'F' : reset ? 'R' : sent.payload.empty() ? 'a' : 'D';
        story += ' ';
    }
    void udp(mta::time_point, const socket_address&, const socket_address&, std::string_view) override {}
    bool all_acknowledged() const {
        for (const auto& [which, each] : halves_) {
            if (!each.acknowledged || *each.acknowledged != each.next) return false;
        }
        return true;
    }

  private:
    struct half {
        bool open = false, finished = false, reset = false;
        std::uint32_t next = 0;
        std::optional<std::uint32_t> acknowledged;
    };
    std::map<bool, half> halves_;
    mta::time_point last_{};
};

struct wire {
    event_loop loop{beginning};
    fabric net;
    strict_observer seen;
    std::unique_ptr<mta::byte_stream> server, client;
    std::unique_ptr<mta::listener> port;
    io_error connect_error = io_error::none;
    mta::duration connected_after{};
    std::string notes;
    mta::nursery tasks{[](std::exception_ptr error) { std::rethrow_exception(error); }};

    explicit wire(settings values, std::uint64_t seed = 1) : net(loop, std::move(values), seed) {
        net.attach(one);
        net.attach(two);
        net.set_observer(&seen);
    }
    mta::duration passed() const { return loop.now() - beginning; }
    void listen() {
        port =
            net.listen(two, {two, 25}, [this](auto stream, const auto&, const auto&) { server = std::move(stream); });
        ASSERT_TRUE(port);
    }
    void connect(mta::duration patience = 30s) {
        const auto work = [](wire& w, mta::duration how_long) -> task<void> {
            const mta::time_point deadline = how_long == mta::duration::max() ? mta::never : w.loop.now() + how_long;
            const mta::endpoint remote{two, 25};
            mta::connect_result got = co_await w.net.connect(one, remote, std::nullopt, deadline);
            w.client = std::move(got.stream);
            w.connect_error = got.error;
            w.connected_after = w.passed();
        };
        tasks.start(work(*this, patience));
    }
    void run(mta::duration more = 2h) { loop.run_until(loop.now() + more); }
    void open() {
        listen();
        connect(120s);
        for (int i = 0; i < 130 && !(client && server); ++i) run(1s);
        ASSERT_TRUE(client);
        ASSERT_TRUE(server);
    }
    void send(mta::byte_stream& to, std::string text, char name) {
        const auto work = [](wire& w, mta::byte_stream& on, std::string bytes, char who) -> task<void> {
            const io_error error = co_await mta::write_all(on, w.loop, bytes, 1h);
            w.notes += who;
            w.notes += error == io_error::none        ? '.'
                       : error == io_error::reset     ? 'R'
                       : error == io_error::timed_out ? 'T'
                                                      : '?';
        };
        tasks.start(work(*this, to, std::move(text), name));
    }
    // Reads to the end: the bytes to `into`, and how it ended to the notes: E, R or T.
    void receive(mta::byte_stream& from, std::string& into, char name, mta::duration patience = 1h) {
        const auto work = [](wire& w, mta::byte_stream& on, std::string& to, char who,
                             mta::duration how_long) -> task<void> {
            char buffer[5000];
            const std::span<char> whole(buffer);
            for (;;) {
                const mta::time_point deadline = w.loop.now() + how_long;
                const mta::io_result got = co_await mta::read_some(on, whole, deadline);
                to.append(buffer, got.bytes);
                if (got.ok()) continue;
                w.notes += who;
                w.notes += got.error == io_error::end_of_stream ? 'E' : got.error == io_error::reset ? 'R' : 'T';
                co_return;
            }
        };
        tasks.start(work(*this, from, into, name, patience));
    }
};

inline std::string numbered_bytes(std::size_t size) {
    std::string text;
    for (std::size_t i = 0; text.size() < size; ++i) text += std::to_string(i) + ' ';
    text.resize(size);
    return text;
}

}  // namespace sim::network
