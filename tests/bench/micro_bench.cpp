// tests/bench/micro_bench.cpp - the parts that every run goes through, each alone: timers, tasks, the network, log
// lines.
#include <benchmark/benchmark.h>

#include <deque>
#include <string>
#include <vector>

#include "mta/async/task.hpp"
#include "mta/maillog/render.hpp"
#include "mta/tls/engine.hpp"
#include "sim/network/authority.hpp"
#include "sim/network/network.hpp"
#include "sim/record/maillog.hpp"
#include "sim/world/event_loop.hpp"
#include "sim/world/random.hpp"

namespace {

using mta::time_point;

constexpr time_point epoch{};
constexpr mta::duration longest_delay = std::chrono::seconds(10);

// A timer that is armed again as soon as it has fired, as those of a busy lab are.
struct recurring final : mta::timer {
    sim::event_loop* loop = nullptr;
    sim::random_stream* random = nullptr;
    void expired() override {
        loop->arm(*this, loop->now() + mta::duration(static_cast<std::int64_t>(random->below(longest_delay.count()))));
    }
};

struct pending_timers {
    sim::random_stream random{1, "bench", "delays"};
    std::deque<recurring> all;
    pending_timers(sim::event_loop& loop, std::int64_t count) {
        for (std::int64_t i = 0; i < count; ++i) {
            recurring& each = all.emplace_back();
            each.loop = &loop;
            each.random = &random;
            each.expired();
        }
    }
};

// Runs slice after slice of virtual time, and counts the steps as items.
void run_for(benchmark::State& state, sim::event_loop& loop, mta::duration slice) {
    const std::uint64_t before = loop.steps();
    for (auto _ : state) loop.run_until(loop.now() + slice);
    state.SetItemsProcessed(static_cast<std::int64_t>(loop.steps() - before));
    state.counters["per_event"] = benchmark::Counter(static_cast<double>(loop.steps() - before),
                                                     benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

void timer_event(benchmark::State& state) {
    sim::event_loop loop(epoch);
    pending_timers timers(loop, state.range(0));
    run_for(state, loop, std::chrono::milliseconds(50));
}
BENCHMARK(timer_event)->Arg(100)->Arg(10'000)->Arg(100'000);

mta::task<void> sleep_often(sim::event_loop& loop, sim::random_stream& random) {
    for (;;) {
        const mta::duration delay(static_cast<std::int64_t>(random.below(longest_delay.count())));
        co_await mta::sleep_for(loop, delay);
    }
}
void sleeping_task(benchmark::State& state) {
    sim::event_loop loop(epoch);
    sim::random_stream random(1, "bench", "delays");
    mta::nursery tasks([](std::exception_ptr error) { std::rethrow_exception(error); });
    for (std::int64_t i = 0; i < state.range(0); ++i) tasks.start(sleep_often(loop, random));
    run_for(state, loop, std::chrono::milliseconds(50));
}
BENCHMARK(sleeping_task)->Arg(10'000);

// One line there and one back, for ever, over each of the connections.
mta::task<void> echo(std::unique_ptr<mta::byte_stream> stream) {
    char buffer[256];
    const std::span<char> whole(buffer);
    for (;;) {
        const mta::io_result got = co_await mta::read_some(*stream, whole, mta::never);
        if (!got.ok()) co_return;
        const std::string_view text(buffer, got.bytes);
        const mta::io_result sent = co_await mta::write_some(*stream, text, mta::never);
        if (!sent.ok()) co_return;
    }
}
mta::task<void> talk(sim::network::fabric& net, mta::address::ip_address from, mta::endpoint to) {
    mta::connect_result opened = co_await net.connect(from, to, std::nullopt, mta::never);
    const std::string_view first = "RCPT TO:<kimchen@york.cc>\r\n";
    const mta::io_result sent = co_await mta::write_some(*opened.stream, first, mta::never);
    if (!sent.ok()) co_return;
    co_await echo(std::move(opened.stream));
}
void network_event(benchmark::State& state) {
    sim::event_loop loop(epoch);
    sim::network::settings settings;
    settings.subnet = mta::address::ip_network(mta::address::ip_address::v4(10, 0, 0, 0), 24);
    sim::network::fabric net(loop, settings, 1);
    const auto client = mta::address::ip_address::v4(10, 0, 0, 1);
    const auto server = mta::address::ip_address::v4(10, 0, 0, 2);
    net.attach(client);
    net.attach(server);
    pending_timers timers(loop, 10'000 - state.range(0));
    mta::nursery tasks([](std::exception_ptr error) { std::rethrow_exception(error); });
    const mta::endpoint port{server, 25};
    const auto listening =
        net.listen(server, port, [&](auto stream, const auto&, const auto&) { tasks.start(echo(std::move(stream))); });
    for (std::int64_t i = 0; i < state.range(0); ++i) tasks.start(talk(net, client, port));
    loop.run_until(loop.now() + std::chrono::milliseconds(10));
    run_for(state, loop, std::chrono::milliseconds(10));
    tasks.cancel_all();
}
BENCHMARK(network_event)->Arg(100)->Arg(5'000);

void delivery_line(benchmark::State& state) {
    sim::record::maillog log("mail.ohio.cc");
    const mta::maillog::process by{"postfix/smtp", 1234};
    mta::maillog::delivery told;
    told.recipient = "kimchen@york.cc";
    told.relay = "mail.york.cc[192.168.137.5]:25";
    told.arrived = epoch;
    told.active = epoch + std::chrono::milliseconds(14);
    told.agent_started = epoch + std::chrono::milliseconds(15);
    told.connected = epoch + std::chrono::milliseconds(18);
    told.done = epoch + std::chrono::milliseconds(230);
    told.dsn = "2.0.0";
    told.status = "sent";
    told.text = "250 2.0.0 Ok: queued as 50C9110A3824";
    for (auto _ : state) {
        benchmark::DoNotOptimize(log.add({told.done, by, "26B1C3166C08", 0, told}));
        if (log.lines() > 10'000) log.clear();
    }
}
BENCHMARK(delivery_line);

void digest_of_a_line(benchmark::State& state) {
    sim::event_loop loop(epoch);
    const std::string line(180, 'x');
    for (auto _ : state) loop.note(line);
    benchmark::DoNotOptimize(loop.digest());
}
BENCHMARK(digest_of_a_line);

// Both ends of one handshake and nothing else: what OpenSSL asks of every session that begins with STARTTLS.
void tls_handshake(benchmark::State& state) {
    const time_point now = std::chrono::sys_days(std::chrono::year(2026) / 11 / 20);
    sim::network::authority authority(1, now);
    std::vector<mta::tls::log_line> problems;
    mta::tls::context_settings settings;
    settings.side = mta::tls::side::server;
    settings.identities = mta::tls::split_chain_file("mail.pem", authority.certificate_of("mail.york.cc").chain_file());
    const auto at_server = mta::tls::context::make(settings, problems);
    settings.side = mta::tls::side::client;
    settings.identities.clear();
    settings.authorities_name = "ca.crt";
    settings.authorities_pem = authority.certificate_pem();
    const auto at_client = mta::tls::context::make(settings, problems);
    if (!problems.empty()) state.SkipWithError("a TLS context has problems");
    sim::random_stream random(1, "bench", "tls");
    for (auto _ : state) {
        mta::tls::engine server(at_server, mta::tls::accept_options("client", now, mta::never, random));
        mta::tls::engine client(at_client, mta::tls::connect_options("server", now, mta::never, random));
        using outcome = mta::tls::engine::outcome;
        for (outcome a = outcome::want_input, b = a; a != outcome::done || b != outcome::done;) {
            if (a != outcome::done) a = client.handshake();
            server.feed(client.take_output());
            if (b != outcome::done) b = server.handshake();
            client.feed(server.take_output());
            if (a == outcome::failed || b == outcome::failed) return state.SkipWithError("a handshake failed");
        }
    }
}
BENCHMARK(tls_handshake);

}  // namespace
