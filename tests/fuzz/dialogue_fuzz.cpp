// The input is what a client says to a scripted server, byte for byte, and what a server says in a dialogue. Invariant:
// both come to an end in virtual time, and what they keep is valid UTF-8.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "sim/scenario/pattern.hpp"
#include "sim/scenario/scripted_server.hpp"
#include "tests/support/fake_host.hpp"

namespace {

using namespace std::chrono_literals;

mta::task<void> speak(mta::scheduler& clock, std::unique_ptr<mta::byte_stream> stream, std::string bytes) {
    const mta::io_error error = co_await mta::write_all(*stream, clock, bytes, 1s);
    if (error == mta::io_error::none) co_await mta::sleep_for(clock, 40s);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace sim::scenario;
    const std::string input(reinterpret_cast<const char*>(data), size);
    tests::fake_network net;
    tests::fake_host one(net, "one.test", "192.0.2.1"), two(net, "two.test", "192.0.2.2");
    scripted_server server(one, one.address(), {});
    if (!server.play({})) std::abort();
    mta::nursery talkers([](std::exception_ptr error) { std::rethrow_exception(error); });
    const auto port = two.listen({two.address(), 25}, [&](auto stream, const auto&, const auto&) {
        talkers.start(speak(net.clock, std::move(stream), input));
    });
    const auto talk = [&](const mta::endpoint& to, std::vector<dialogue_entry> lines) {
        dialogue_route route;
        route.server = to;
        const std::string text = tests::finish(net.clock, run_dialogue(two, std::move(route), lines));
        if (readable(text) != text || (!text.empty() && text.back() != '\n')) std::abort();
    };
    const raw all{"", input};
    talk({one.address(), 25}, {all, line{"QUIT"}});
    if (readable(server.mbox()) != server.mbox()) std::abort();
    talk({two.address(), 25},
         {line{"EHLO x"}, group{{"MAIL", "RCPT"}}, all, line{"DATA"}, line{"."}, line{"STARTTLS"}});
    return 0;
}
