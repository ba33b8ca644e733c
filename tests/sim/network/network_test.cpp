#include "sim/network/network.hpp"

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "mta/stream/byte_stream.hpp"

namespace sim::network {
namespace {

using namespace std::chrono_literals;
using mta::io_error;
using mta::task;

constexpr mta::time_point beginning{std::chrono::seconds(1795183200)};
const auto one = mta::address::ip_address::v4(192, 168, 137, 4);
const auto two = mta::address::ip_address::v4(192, 168, 137, 5);

settings plain(mta::duration latency = 10ms, std::uint64_t bits_per_second = 0, double loss = 0) {
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

std::string numbered_bytes(std::size_t size) {
    std::string text;
    for (std::size_t i = 0; text.size() < size; ++i) text += std::to_string(i) + ' ';
    text.resize(size);
    return text;
}

TEST(connecting, costs_a_round_trip) {
    wire w(plain());
    w.listen();
    w.connect();
    w.run();
    EXPECT_EQ(w.connect_error, io_error::none);
    EXPECT_EQ(w.connected_after, 20ms);
    EXPECT_EQ(w.seen.story, "cS sS ca ");
}

TEST(connecting, fails_as_a_real_one_does) {
    const auto rule = [](filter_action action) {
        settings result = plain();
        filter_rule r;
        r.from = r.to = mta::address::ip_network(one, 24);
        r.port = 25;
        r.action = action;
        result.firewall.push_back(r);
        return result;
    };
    struct {
        const char* what;
        settings values;
        void (*prepare)(wire& w);
        mta::duration patience;
        io_error error;
        mta::duration after;
    } rows[] = {
        {"nobody listens", plain(), [](wire&) {}, 30s, io_error::refused, 20ms},
        {"rejected", rule(filter_action::reject), [](wire& w) { w.listen(); }, 30s, io_error::refused, 20ms},
        {"dropped", rule(filter_action::drop), [](wire& w) { w.listen(); }, 30s, io_error::timed_out, 30s},
        {"dropped, for ever patient", rule(filter_action::drop), [](wire& w) { w.listen(); }, mta::duration::max(),
         io_error::timed_out, 127s},
        {"peer's cable out", plain(), [](wire& w) { w.listen(), w.net.plug(two, false); }, 30s,
         io_error::host_unreachable, 3s},
        {"peer's cable out, impatient", plain(), [](wire& w) { w.listen(), w.net.plug(two, false); }, 2s,
         io_error::timed_out, 2s},
        {"own cable out", plain(), [](wire& w) { w.listen(), w.net.plug(one, false); }, 30s,
         io_error::network_unreachable, 0s},
        {"too far away", plain(20s), [](wire& w) { w.listen(); }, 30s, io_error::timed_out, 30s},
        {"all is lost", plain(10ms, 0, 1), [](wire& w) { w.listen(); }, 30s, io_error::timed_out, 30s},
    };
    for (auto& row : rows) {
        wire w(row.values);
        row.prepare(w);
        w.connect(row.patience);
        w.run();
        EXPECT_FALSE(w.client) << row.what;
        EXPECT_EQ(w.connect_error, row.error) << row.what;
        EXPECT_EQ(w.connected_after, row.after) << row.what;
    }
}

TEST(connecting, beyond_the_subnet_there_is_no_network) {
    wire w(plain());
    const auto work = [](wire& over) -> task<void> {
        const mta::endpoint remote{mta::address::ip_address::v4(10, 0, 0, 1), 25};
        const mta::time_point deadline = over.loop.now() + 30s;
        mta::connect_result got = co_await over.net.connect(one, remote, std::nullopt, deadline);
        over.connect_error = got.error;
    };
    w.tasks.start(work(w));
    w.run();
    EXPECT_EQ(w.connect_error, io_error::network_unreachable);
}

// The first packet goes unanswered while the cable is out, and is sent again after 1 s, 2 s more, 4 s more.
TEST(connecting, a_cable_that_comes_back_in_time_is_a_late_connection) {
    wire w(plain());
    w.listen();
    w.connect();
    w.run(5ms);
    w.net.plug(two, false);
    w.run(2s);
    w.net.plug(two, true);
    w.run();
    EXPECT_EQ(w.connect_error, io_error::none);
    EXPECT_EQ(w.connected_after, 3s + 20ms);
}

TEST(connecting, a_port_is_taken_once_and_free_again) {
    wire w(plain());
    w.listen();
    EXPECT_FALSE(w.net.listen(two, {two, 25}, {}));
    EXPECT_FALSE(w.net.listen(two, {one, 25}, {})) << "not our address";
    w.port.reset();
    w.listen();
}

TEST(connecting, the_server_may_be_gone_before_the_handshake_ends) {
    wire w(plain());
    w.listen();
    w.connect();
    w.run(25ms);
    ASSERT_TRUE(w.client);
    w.port.reset();
    std::string got;
    w.receive(*w.client, got, 'c');
    w.run();
    EXPECT_EQ(w.notes, "cR");
    EXPECT_EQ(w.seen.story, "cS sS ca sR ");
}

TEST(connecting, the_client_may_be_gone_before_the_handshake_ends) {
    wire w(plain());
    w.listen();
    w.connect();
    w.run(25ms);
    w.client.reset();
    w.run();
    ASSERT_TRUE(w.server);
    std::string got;
    w.receive(*w.server, got, 's');
    w.run();
    EXPECT_EQ(w.notes, "sE");
}

TEST(transfer, takes_the_latency) {
    wire w(plain());
    w.open();
    const mta::duration before = w.passed();
    mta::duration arrived{};
    const auto reads = [](wire& over, mta::duration& when) -> task<void> {
        char buffer[10];
        const std::span<char> whole(buffer);
        const mta::io_result got = co_await mta::read_some(*over.server, whole, mta::never);
        when = got.bytes == 5 ? over.passed() : 0s;
    };
    w.tasks.start(reads(w, arrived));
    w.send(*w.client, "hello", 'c');
    w.run();
    EXPECT_EQ(arrived - before, 10ms);
}

TEST(transfer, is_whole_and_in_order_whatever_the_link) {
    const std::string text = numbered_bytes(300'000);
    struct {
        const char* what;
        settings values;
    } rows[] = {{"plain", plain()}, {"no latency", plain(0s)},      {"slow", plain(10ms, 64'000)},
                {"far", plain(3s)}, {"lossy", plain(10ms, 0, 0.3)}, {"slow and lossy", plain(1ms, 1'000'000, 0.1)}};
    for (auto& row : rows) {
        wire w(row.values);
        w.listen();
        w.connect(100s);
        w.run(120s);
        ASSERT_TRUE(w.client && w.server) << row.what;
        std::string there, back;
        w.receive(*w.server, there, 's', 10h);
        w.receive(*w.client, back, 'c', 10h);
        w.send(*w.client, text, 'C');
        w.send(*w.server, text, 'S');
        w.run(3h);
        EXPECT_EQ(there, text) << row.what;
        EXPECT_EQ(back, text) << row.what;
        w.client->shut_down_write();
        w.run();
        w.server.reset();
        w.run();
        EXPECT_NE(w.notes.find("sE"), std::string::npos) << row.what << " " << w.notes;
        EXPECT_NE(w.notes.find("cE"), std::string::npos) << row.what << " " << w.notes;
        w.client.reset();
        w.run();
        EXPECT_TRUE(w.seen.all_acknowledged()) << row.what;
        EXPECT_EQ(w.seen.payload, 2 * text.size());
    }
}

TEST(transfer, is_paced_by_the_bandwidth) {
    wire w(plain(0s, 8'000'000));  // a megabyte a second
    w.open();
    std::string got;
    w.receive(*w.server, got, 's', 24h);
    const mta::duration before = w.passed();
    w.send(*w.client, std::string(1'000'000, 'x'), 'c');
    while (got.size() < 1'000'000) w.run(1ms);
    const auto taken = w.passed() - before;
    EXPECT_GE(taken, 1s);
    EXPECT_LE(taken, 1s + 60ms) << "headers of the packets";
}

TEST(transfer, stalls_when_the_reader_does) {
    wire w(plain());
    w.open();
    w.send(*w.client, std::string(200'000, 'x'), 'c');
    w.run();
    EXPECT_EQ(w.notes, "cT") << "the write waited its hour";
    EXPECT_EQ(w.seen.payload, 65'536U) << "one window";
    std::string got;
    w.receive(*w.server, got, 's', 1s);
    w.run();
    EXPECT_EQ(got.size(), 65'536U);
}

TEST(transfer, goes_on_when_the_reader_does) {
    wire w(plain());
    w.open();
    w.send(*w.client, std::string(200'000, 'x'), 'c');
    w.run(10min);
    EXPECT_EQ(w.notes, "");
    std::string got;
    w.receive(*w.server, got, 's', 10s);
    w.run();
    EXPECT_EQ(got.size(), 200'000U);
    EXPECT_EQ(w.notes, "c.sT");
}

TEST(transfer, waits_for_the_cable) {
    for (const auto& who : {one, two}) {
        wire w(plain(10ms, 1'000'000));
        w.open();
        const std::string text = numbered_bytes(100'000);
        std::string got;
        w.receive(*w.server, got, 's');
        w.send(*w.client, text, 'c');
        w.run(200ms);
        EXPECT_LT(got.size(), text.size());
        w.net.plug(who, false);
        const std::size_t before = got.size();
        w.run(60s);
        EXPECT_EQ(got.size(), before);
        w.net.plug(who, true);
        w.run(10min);
        EXPECT_EQ(got, text);
    }
}

// 15 retransmissions, at most two minutes apart: 924.6 s. Who only reads learns nothing until its own patience ends.
TEST(transfer, gives_up_after_a_quarter_of_an_hour) {
    wire w(plain());
    w.open();
    std::string got, back;
    w.receive(*w.server, got, 's', 2h);
    w.receive(*w.client, back, 'c', 2h);
    w.net.plug(two, false);
    w.send(*w.client, "hello", 'C');
    w.run(924s);
    EXPECT_EQ(w.notes, "C.");
    w.run(1s);
    EXPECT_EQ(w.notes, "C.cT");
    w.net.plug(two, true);
    w.run(2h);
    EXPECT_EQ(w.notes, "C.cTsT");
    w.send(*w.server, "are you there?", 'S');
    w.send(*w.server, "hello?", 'S');
    w.run();
    EXPECT_EQ(w.notes, "C.cTsTS.S.");
    w.send(*w.client, "x", 'C');
    w.run();
    EXPECT_EQ(w.notes, "C.cTsTS.S.CT");
}

TEST(closing, half_of_it_leaves_the_other_open) {
    wire w(plain());
    w.open();
    std::string there, back;
    w.receive(*w.server, there, 's');
    w.send(*w.client, "question", 'C');
    w.client->shut_down_write();
    w.client->shut_down_write();
    w.run();
    EXPECT_EQ(there, "question");
    EXPECT_EQ(w.notes, "C.sE");
    w.send(*w.client, "more", 'X');
    w.send(*w.server, "answer", 'S');
    w.receive(*w.client, back, 'c');
    w.run(10s);
    EXPECT_EQ(back, "answer");
    EXPECT_EQ(w.notes, "C.sEXRS.");
    w.server.reset();
    w.run();
    EXPECT_EQ(w.notes, "C.sEXRS.cE");
    EXPECT_EQ(w.seen.story, "cS sS ca cD cF sa sa sD ca sF ca ");
}

TEST(closing, delivers_what_was_written_before) {
    wire w(plain(10ms, 100'000));
    w.open();
    std::string got;
    w.receive(*w.server, got, 's');
    w.send(*w.client, std::string(50'000, 'x'), 'c');
    w.run(1ms);
    w.client.reset();
    w.run();
    EXPECT_EQ(got.size(), 50'000U);
    EXPECT_EQ(w.notes, "c.sE");
}

TEST(closing, with_unread_bytes_is_a_reset) {
    wire w(plain());
    w.open();
    w.send(*w.client, "nobody reads this", 'C');
    w.run(1s);
    w.send(*w.server, "421 go away", 'S');
    w.server.reset();
    std::string got;
    w.receive(*w.client, got, 'c');
    w.run();
    EXPECT_EQ(got, "421 go away") << "what was sent before the reset";
    EXPECT_EQ(w.notes, "C.S.cR");
    EXPECT_EQ(w.seen.story, "cS sS ca cD sa sD sR ca ");
}

TEST(closing, bytes_for_nobody_are_answered_with_a_reset) {
    wire w(plain());
    w.open();
    w.server.reset();
    w.run(1s);
    w.send(*w.client, "hello", 'C');
    w.send(*w.client, "again", 'C');
    w.run(1s);
    w.send(*w.client, "and again", 'C');
    std::string got;
    w.receive(*w.client, got, 'c');
    w.run();
    EXPECT_EQ(w.notes, "C.C.CRcE") << "the end came before the reset";
    EXPECT_EQ(w.seen.story, "cS sS ca sF ca cD cD sR ");
}

TEST(closing, a_reset_takes_its_way_behind_the_bytes) {
    wire w(plain());
    w.open();
    std::string got, back;
    w.receive(*w.server, got, 's');
    w.receive(*w.client, back, 'c');
    w.send(*w.client, "last words", 'C');
    w.client->abort();
    w.client->abort();
    w.run(5ms);
    EXPECT_EQ(w.notes, "C.cR");
    w.run(6ms);
    EXPECT_EQ(got, "last words");
    EXPECT_EQ(w.notes, "C.cRsR");
    w.send(*w.server, "x", 'S');
    w.run();
    EXPECT_EQ(w.notes, "C.cRsRSR");
}

TEST(deadlines, of_reads_and_writes) {
    wire w(plain());
    w.open();
    const mta::duration before = w.passed();
    std::string got;
    w.receive(*w.client, got, 'c', 5s);
    w.run();
    EXPECT_EQ(w.notes, "cT");
    got.clear();
    w.send(*w.server, "late", 'S');
    w.receive(*w.client, got, 'c', 7s);
    w.run();
    EXPECT_EQ(got, "late");
    EXPECT_EQ(w.notes, "cTS.cT");
    EXPECT_LT(before, w.passed());
}

// A conversation with bytes both ways, half-closes and closes; whatever is destroyed whenever, nothing crashes, nothing
// leaks and the segments stay consistent.
void play_and_destroy(int what, mta::duration when, settings values) {
    wire w(std::move(values));
    w.listen();
    w.connect();
    std::string there, back;
    bool begun = false;
    for (mta::duration at{}; at < 400ms; at += 1ms) {
        if (at == when) {
            if (what < 2) w.tasks.cancel_all();  // operations go before their streams, as in a process's end
            if (what == 0) w.client.reset();
            if (what == 1) w.server.reset();
            auto& left = what == 0 ? w.server : w.client;
            if (what < 2 && left) {
                w.receive(*left, there, 'l');
                w.send(*left, numbered_bytes(70'000), 'L');
            }
            if (what == 2) w.port.reset();
            if (what == 3) w.tasks.cancel_all();
            if (what == 4 && w.client) w.client->abort();
            if (what == 5 && w.server) w.server->abort();
            if (what == 6) w.net.plug(two, false);
            if (what == 7) return;  // all of it
        }
        if (!begun && w.client && w.server) {
            begun = true;
            w.send(*w.client, numbered_bytes(100'000), 'C');
            w.send(*w.server, numbered_bytes(80'000), 'S');
            w.receive(*w.server, there, 's');
            w.receive(*w.client, back, 'c');
        }
        if (at == 200ms && w.client && what > 1) w.client->shut_down_write();
        if (at == 320ms || at == 350ms) w.tasks.cancel_all();
        if (at == 320ms) w.server.reset();
        if (at == 350ms) w.client.reset();
        w.run(1ms);
    }
    w.run(3h);
}

TEST(destroying, at_every_millisecond) {
    for (int what = 0; what <= 7; ++what) {
        for (mta::duration when{}; when < 400ms; when += 3ms) play_and_destroy(what, when, plain(10ms, 10'000'000));
    }
}

// The n-th read that completes destroys an end, from inside its own turn.
TEST(destroying, from_inside_of_every_read) {
    for (int victim = 0; victim < 2; ++victim) {
        for (int nth = 1; nth < 40; ++nth) {
            wire w(plain(1ms, 10'000'000));
            w.open();
            int count = 0;
            const auto echo = [&](mta::byte_stream& on, bool first) -> task<void> {
                char buffer[3000];
                const std::span<char> whole(buffer);
                for (;;) {
                    const mta::time_point deadline = w.loop.now() + 1s;
                    const mta::io_result got = co_await mta::read_some(on, whole, deadline);
                    if (!got.ok()) co_return;
                    if (++count == nth) {
                        // One's own end, or the other's: a task that reads from it must not outlive it.
                        (victim == (first ? 0 : 1) ? w.client : w.server)->abort();
                    }
                    const std::string_view bytes(buffer, got.bytes);
                    const io_error error = co_await mta::write_all(on, w.loop, bytes, 1s);
                    if (error != io_error::none) co_return;
                }
            };
            w.tasks.start(echo(*w.server, false));
            w.tasks.start(echo(*w.client, true));
            w.send(*w.client, numbered_bytes(20'000), 'C');
            w.run(10s);
            EXPECT_GE(count, nth);
        }
    }
}

TEST(determinism, the_same_seed_loses_the_same_packets) {
    const auto play = [](std::uint64_t seed) {
        wire w(plain(10ms, 5'000'000, 0.05), seed);
        w.open();
        std::string got;
        w.receive(*w.server, got, 's');
        w.send(*w.client, numbered_bytes(200'000), 'C');
        w.run();
        EXPECT_EQ(got.size(), 200'000U);
        return w.loop.digest();
    };
    EXPECT_EQ(play(7), play(7));
    EXPECT_NE(play(7), play(8));
}

}  // namespace
}  // namespace sim::network
