#include "sim/network/real_network.hpp"

#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <set>
#include <stdexcept>
#include <vector>

#include "sim/network/real_socket.hpp"
#include "tests/live/live_network.hpp"

namespace tests {
namespace {

using mta::io_error;
using sim::network::tcp;

class real_network : public live_network {
  protected:
    using live_network::live_network;

    struct answer {
        io_error error = io_error::none;
        mta::duration after{};
        std::unique_ptr<mta::byte_stream> stream;
    };
    answer connect(std::string_view from, const mta::endpoint& to, std::optional<mta::address::ip_address> source = {},
                   mta::duration patience = 30s) {
        answer result;
        run([&]() -> mta::task<void> {
            const auto begin = loop.now();
            const auto machine = address(from);
            mta::connect_result made = co_await net.connect(machine, to, source, begin + patience);
            result.error = made.error;
            result.stream = std::move(made.stream);
            result.after = loop.now() - begin;
            EXPECT_EQ(result.stream == nullptr, result.error != io_error::none);
        });
        return result;
    }
    void wait_for_visit() {
        run([&]() -> mta::task<void> {
            while (visits.empty()) co_await visited.wait();
        });
    }
    // A program that knows nothing of the lab.
    tcp::endpoint place(std::string_view machine, std::uint16_t port) {
        return sim::network::loopback_endpoint(net.real(address(machine), at(machine, port))).native();
    }
};

TEST_F(real_network, shows_the_addresses_of_the_topology_to_both_sides) {
    const auto port = listen("192.168.137.5", at("192.168.137.5", 25));
    ASSERT_TRUE(port);
    const auto made = connect("192.168.137.9", at("192.168.137.5", 25));
    ASSERT_TRUE(made.stream);
    wait_for_visit();
    EXPECT_EQ(visits[0].local.address, address("192.168.137.5"));
    EXPECT_EQ(visits[0].local.port, 25);
    EXPECT_EQ(visits[0].remote.address, address("192.168.137.9"));
    EXPECT_EQ(visits[0].stream->connection(), made.stream->connection());
}

TEST_F(real_network, gives_each_machine_loopback_addresses_of_its_own) {
    const auto here = listen("192.168.137.5", at("127.0.0.1", 10'025)),
               there = listen("192.168.137.9", at("127.0.0.1", 10'025));
    ASSERT_TRUE(here && there);
    EXPECT_EQ(connect("192.168.137.2", at("127.0.0.1", 10'025)).error, io_error::refused);
    const auto made = connect("192.168.137.9", at("127.0.0.1", 10'025));
    ASSERT_TRUE(made.stream);
    wait_for_visit();
    EXPECT_EQ(visits[0].remote.address, address("127.0.0.1"));
    EXPECT_EQ(visits[0].local.address, address("127.0.0.1"));
}

TEST_F(real_network, listens_on_all_addresses_of_a_machine) {
    const auto port = listen("192.168.137.5", at("0.0.0.0", 25));
    ASSERT_TRUE(port);
    const auto own = connect("192.168.137.5", at("127.0.0.1", 25)),
               other = connect("192.168.137.2", at("192.168.137.5", 25));
    EXPECT_TRUE(own.stream && other.stream);
    EXPECT_FALSE(listen("192.168.137.5", at("0.0.0.0", 25)));
}

TEST_F(real_network, refuses_where_nobody_of_the_lab_listens) {
    EXPECT_EQ(connect("192.168.137.2", at("192.168.137.5", 25)).error, io_error::refused);
    // Another program at that very place gets no visit.
    boost::asio::io_context own;
    tcp::acceptor foreign(own, place("192.168.137.5", 26));
    foreign.non_blocking(true);
    EXPECT_EQ(connect("192.168.137.2", at("192.168.137.5", 26)).error, io_error::refused);
    boost::system::error_code none;
    foreign.accept(none);
    EXPECT_EQ(none, boost::asio::error::would_block);
    EXPECT_FALSE(listen("192.168.137.5", at("192.168.137.5", 26)));
}

TEST_F(real_network, closes_a_port_with_its_listener_and_opens_it_again) {
    auto port = listen("192.168.137.5", at("192.168.137.5", 25));
    EXPECT_TRUE(connect("192.168.137.2", at("192.168.137.5", 25)).stream);
    port.reset();
    EXPECT_EQ(connect("192.168.137.2", at("192.168.137.5", 25)).error, io_error::refused);
    port = listen("192.168.137.5", at("192.168.137.5", 25));
    EXPECT_TRUE(connect("192.168.137.2", at("192.168.137.5", 25)).stream);
}

TEST_F(real_network, listens_for_its_own_machine_only) {
    EXPECT_FALSE(listen("192.168.137.5", at("192.168.137.9", 25)));
    EXPECT_FALSE(listen("192.168.137.5", at("192.0.2.1", 25)));
    EXPECT_FALSE(listen("192.168.137.5", at("192.168.137.5", 0)));
}

TEST_F(real_network, knows_no_way_out_of_the_subnet) {
    const auto outside = connect("192.168.137.2", at("192.0.2.1", 25));
    EXPECT_EQ(outside.error, io_error::network_unreachable);
    net.plug(address("192.168.137.2"), false);
    EXPECT_EQ(connect("192.168.137.2", at("192.168.137.5", 25)).error, io_error::network_unreachable);
}

TEST_F(real_network, looks_for_a_machine_that_is_not_there_as_long_as_linux) {
    const auto port = listen("192.168.137.5", at("192.168.137.5", 25));
    net.plug(address("192.168.137.5"), false);
    for (const auto* each : {"192.168.137.5", "192.168.137.77"}) {
        const auto patient = connect("192.168.137.2", at(each, 25));
        EXPECT_EQ(patient.error, io_error::host_unreachable) << each;
        EXPECT_GE(patient.after, 3s) << each;
        EXPECT_EQ(connect("192.168.137.2", at(each, 25), {}, 1s).error, io_error::timed_out) << each;
    }
    net.plug(address("192.168.137.5"), true);
    EXPECT_TRUE(connect("192.168.137.2", at("192.168.137.5", 25)).stream);
}

class behind_a_firewall : public real_network {
  protected:
    behind_a_firewall() : real_network(settings()) {}
    static sim::network::settings settings() {
        auto result = in_office();
        const mta::address::ip_network any(mta::address::ip_address(), 0), two(address("192.168.137.2"), 32);
        result.firewall.push_back({two, any, 25, sim::network::filter_action::drop});
        result.firewall.push_back({two, any, 587, sim::network::filter_action::reject});
        return result;
    }
};

TEST_F(behind_a_firewall, connections_are_dropped_or_rejected_as_it_says) {
    const auto smtp = listen("192.168.137.5", at("192.168.137.5", 25)),
               submission = listen("192.168.137.5", at("192.168.137.5", 587));
    const auto dropped = connect("192.168.137.2", at("192.168.137.5", 25));
    EXPECT_EQ(dropped.error, io_error::timed_out);
    EXPECT_GE(dropped.after, 30s);
    EXPECT_EQ(connect("192.168.137.2", at("192.168.137.5", 587)).error, io_error::refused);
    EXPECT_TRUE(connect("192.168.137.9", at("192.168.137.5", 25)).stream);
}

TEST_F(behind_a_firewall, programs_at_a_machines_address_are_that_machine) {
    const auto port = listen("192.168.137.5", at("192.168.137.5", 25));
    boost::asio::io_context own;
    tcp::socket program(own, tcp::endpoint(place("192.168.137.2", 0).address(), 0));
    program.connect(place("192.168.137.5", 25));
    std::array<char, 1> byte;
    loop.run_until(in(100ms));
    boost::system::error_code error;
    program.read_some(boost::asio::buffer(byte), error);
    EXPECT_EQ(error, boost::asio::error::connection_reset);
    EXPECT_TRUE(visits.empty());
}

TEST_F(real_network, takes_other_programs_for_strangers_or_for_the_machine_whose_address_they_have) {
    const auto port = listen("192.168.137.5", at("192.168.137.5", 25));
    boost::asio::io_context own;
    tcp::socket stranger(own), laptop(own, tcp::endpoint(place("192.168.137.2", 0).address(), 0));
    stranger.connect(place("192.168.137.5", 25));
    wait_for_visit();
    EXPECT_EQ(visits[0].remote.address, address("192.168.137.254"));
    EXPECT_EQ(visits[0].remote.port, stranger.local_endpoint().port());
    visits.clear();
    laptop.connect(place("192.168.137.5", 25));
    wait_for_visit();
    EXPECT_EQ(visits[0].remote.address, address("192.168.137.2"));
    EXPECT_NE(visits[0].stream->connection(), 0U);
}

// Many labs in a subnet of the test's own, so that other tests keep their places.
class crowded_network : public testing::Test {
  protected:
    sim::network::real_network& one_more(std::string_view subnet) {
        sim::network::settings settings;
        settings.subnet = mta::address::ip_network(address(subnet), 24);
        labs.push_back(std::make_unique<sim::network::real_network>(loop, settings));
        labs.back()->choose_ports(wanted);
        return *labs.back();
    }
    sim::real_loop loop{sim::machine_time()};
    std::vector<mta::endpoint> wanted{at("10.77.3.5", 25)};
    std::vector<std::unique_ptr<sim::network::real_network>> labs;
};

// 22525 is one lab's own, and 20025 of the next one moved by the first distance.
TEST_F(crowded_network, leaves_the_ports_that_another_lab_will_listen_on) {
    wanted = {at("10.77.5.5", 20025), at("10.77.5.5", 22525)};
    const auto first = one_more("10.77.5.0").port_distance();
    EXPECT_EQ(one_more("10.77.5.0").port_distance(), first + 5000);
}

TEST_F(crowded_network, moves_its_ports_away_from_other_labs_and_programs) {
    std::set<std::uint16_t> distances;
    for (int i = 0; i < 3; ++i) {
        const auto distance = one_more("10.77.3.0").port_distance();
        EXPECT_EQ(distance % 2500, 0);
        EXPECT_TRUE(distances.insert(distance).second) << distance;
    }
    // A place that became free is taken by the next one, unless something else has come there.
    const auto freed = labs.back()->port_distance();
    const auto place = sim::network::loopback_endpoint(labs.back()->real(wanted[0].address, wanted[0])).native();
    labs.pop_back();
    {
        boost::asio::io_context own;
        tcp::acceptor foreign(own, place);
        EXPECT_GT(one_more("10.77.3.0").port_distance(), freed);
    }
    EXPECT_EQ(one_more("10.77.3.0").port_distance(), freed);
}

TEST_F(crowded_network, says_so_when_all_places_are_taken) {
    EXPECT_THROW(for (int i = 0; i < 100; ++i) one_more("10.77.4.0"), std::runtime_error);
}

}  // namespace
}  // namespace tests
