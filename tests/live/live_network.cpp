#include "tests/live/live_network.hpp"

#include <array>
#include <exception>

namespace tests {

mta::address::ip_address address(std::string_view text) {
    return mta::address::ip_address::parse(text).value();
}

mta::endpoint at(std::string_view where, std::uint16_t port) {
    return mta::endpoint{address(where), port};
}

mta::task<heard> read_all(mta::byte_stream& stream, mta::time_point deadline, std::size_t limit) {
    heard result;
    std::array<char, 65'536> buffer;
    while (result.text.size() < limit) {
        const mta::io_result got = co_await mta::read_some(stream, buffer, deadline);
        result.text.append(buffer.data(), got.bytes);
        result.end = got.error;
        if (!got.ok()) break;
    }
    co_return result;
}

sim::network::settings live_network::in_office() {
    sim::network::settings settings;
    settings.subnet = mta::address::ip_network(address("192.168.137.0"), 24);
    return settings;
}

live_network::live_network(sim::network::settings settings)
    : loop(sim::machine_time(), 100), net(loop, std::move(settings)), visited(loop) {
    for (const auto* each : {"192.168.137.2", "192.168.137.5", "192.168.137.9"}) net.attach(address(each));
    const std::array wanted{at("192.168.137.5", 25)};
    net.choose_ports(wanted);
}

std::unique_ptr<mta::listener> live_network::listen(std::string_view machine, const mta::endpoint& where) {
    return net.listen(address(machine), where,
                      [this](auto stream, const mta::endpoint& local, const mta::endpoint& remote) {
                          visits.push_back({std::move(stream), local, remote});
                          visited.notify_all();
                      });
}

void live_network::run(const std::function<mta::task<void>()>& work) {
    bool over = false;
    std::exception_ptr failure;
    mta::nursery tasks([&](std::exception_ptr error) {
        failure = error;
        loop.ask_to_stop();
    });
    const auto to_the_end = [&]() -> mta::task<void> {
        co_await work();
        over = true;
        loop.ask_to_stop();
    };
    tasks.start(to_the_end());
    if (!over && !failure) loop.run_until(in(1h));
    if (failure) std::rethrow_exception(failure);
    ASSERT_TRUE(over) << "still not done after an hour of the lab's time";
}

}  // namespace tests
