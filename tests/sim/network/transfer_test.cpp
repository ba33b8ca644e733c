// Bytes on their way: latency, bandwidth, loss, and cables that are pulled.
#include "tests/sim/network/wire.hpp"

namespace sim::network {
namespace {

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

}  // namespace
}  // namespace sim::network
