// Half-closes, resets, deadlines, and objects that go while others still speak.
#include "tests/sim/network/wire.hpp"

namespace sim::network {
namespace {

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
