// How connections come about, and how they fail to.
#include "tests/sim/network/wire.hpp"

namespace sim::network {
namespace {

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

io_error error_of_connecting_to(const mta::address::ip_address& address) {
    wire w(plain());
    w.listen();
    const auto work = [](wire& over, mta::address::ip_address to) -> task<void> {
        const mta::endpoint remote{to, 25};
        const mta::time_point deadline = over.loop.now() + 30s;
        mta::connect_result got = co_await over.net.connect(one, remote, std::nullopt, deadline);
        over.connect_error = got.error;
    };
    w.tasks.start(work(w, address));
    w.run();
    return w.connect_error;
}

TEST(connecting, beyond_the_subnet_there_is_no_network) {
    EXPECT_EQ(error_of_connecting_to(mta::address::ip_address::v4(10, 0, 0, 1)), io_error::network_unreachable);
}

TEST(connecting, a_broadcast_address_takes_no_connection) {
    const mta::address::ip_network subnet = plain().subnet;
    const auto last = mta::address::ip_address::v4(subnet.base().v4_number() | (0xffffffffU >> subnet.prefix()));
    EXPECT_EQ(error_of_connecting_to(last), io_error::network_unreachable);
}

TEST(connecting, the_unspecified_address_is_the_machine_itself) {
    EXPECT_EQ(error_of_connecting_to(mta::address::ip_address::v4(0, 0, 0, 0)), io_error::refused);
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

// Linux asks for the hardware address of a neighbour that it knows only after half a minute, and doubts it for a while.
TEST(connecting, who_met_the_peer_is_late_to_learn_that_it_is_gone) {
    wire w(plain());
    w.listen();
    w.connect();
    w.run(5s);
    EXPECT_EQ(w.connect_error, io_error::none);
    w.net.plug(two, false);
    const struct {
        mta::duration patience;
        io_error error;
        mta::duration after;
    } rows[] = {
        {10s, io_error::timed_out, 10s},  // still believed
        {60s, io_error::host_unreachable,
         18s},  // doubted at once, given up after 8 s, asked for with the packet after 15 s
        {30s, io_error::host_unreachable, 3s},  // known to be gone
    };
    for (const auto& row : rows) {
        const mta::duration before = w.passed();
        w.connect(row.patience);
        w.run(100s);
        EXPECT_EQ(w.connect_error, row.error);
        EXPECT_EQ(w.connected_after - before, row.after);
    }
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

}  // namespace
}  // namespace sim::network
