// tests/live/live_network.hpp - three machines on the live network, and a way to run tasks on its loop.
#pragma once
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "sim/network/real_network.hpp"

namespace tests {

using namespace std::chrono_literals;

mta::address::ip_address address(std::string_view text);
mta::endpoint at(std::string_view address, std::uint16_t port);

// Reads until the end of the stream, an error, or `limit` bytes.
struct heard {
    std::string text;
    mta::io_error end = mta::io_error::none;
};
mta::task<heard> read_all(mta::byte_stream& stream, mta::time_point deadline, std::size_t limit = ~std::size_t{0});

// 192.168.137.2, .5 and .9, where the clock goes a hundred times too fast.
class live_network : public testing::Test {
  protected:
    explicit live_network(sim::network::settings settings = in_office());
    static sim::network::settings in_office();

    // What came through a listener, in order.
    struct visit {
        std::unique_ptr<mta::byte_stream> stream;
        mta::endpoint local, remote;
    };
    std::unique_ptr<mta::listener> listen(std::string_view machine, const mta::endpoint& where);

    // Runs the loop until the work is done; throws what it throws, and fails when it takes too long.
    void run(const std::function<mta::task<void>()>& work);
    mta::time_point in(mta::duration time) { return loop.now() + time; }

    sim::real_loop loop;
    sim::network::real_network net;
    std::vector<visit> visits;
    mta::signal visited;
};

}  // namespace tests
