// tests/bench/chain_bench.cpp - what whole labs cost: mail through a chain, five days of retries, a start, an idle
// host.
//
//     chain_bench [--percent=N] [NAME...]    all figures, or those whose name begins with one of the arguments
//
// --percent plays that share of the messages, for profilers that slow a program down. Each figure is one line. Times
// are of the thread's CPU clock, with the wall clock beside them. A figure whose mail did not arrive ends the program
// with status 1.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <vector>

#include "sim/record/capture.hpp"
#include "tests/bench/bench_lab.hpp"
#include "tests/bench/measure.hpp"
#include "tests/support/scratch_folder.hpp"

namespace bench {
namespace {

using sim::lab::virtual_lab;

constexpr std::size_t chain_messages = 10'000;
constexpr std::size_t tls_messages = 1'000;
constexpr std::size_t retry_messages = 10'000;
constexpr std::size_t deferred_messages = 100'000;
constexpr std::size_t idle_hosts = 1'000;

// How much of a figure's work is played.
struct share {
    std::size_t percent = 100;
    std::size_t of(std::size_t count) const { return std::max<std::size_t>(1, count * percent / 100); }
};

void expect(bool holds, std::string_view what) {
    if (!holds) throw std::runtime_error(std::string(what));
}

struct chain_options {
    bool tls = false;
    bool one_at_a_time = false;
    std::size_t messages = chain_messages;
    sim::lab::options lab = plain_options();
    sim::network::observer* capture = nullptr;
};

void chain(std::string_view name, share played, const chain_options& how) {
    const std::size_t messages = played.of(how.messages);
    const auto topology = topology_of(chain_text(how.tls));
    virtual_lab lab(topology, how.lab);
    lab.net().set_observer(how.capture);
    start_all(lab);
    // The first message opens tables, makes keys and fills the DNS caches.
    submit(lab, chain_first, "zibiten@york.test", "kimchen@york.test");
    lab.loop().run_until(mta::never);
    const std::uint64_t steps = lab.loop().steps();
    const spent cost = time_of([&] {
        for (std::size_t i = 0; i < messages; ++i) {
            submit(lab, chain_first, "zibiten@york.test", "kimchen@york.test");
            if (how.one_at_a_time) lab.loop().run_until(mta::never);
        }
        lab.loop().run_until(mta::never);
    });
    expect(lines_with(lab, chain_last, "status=sent (delivered to mailbox)") == messages + 1,
           "mail was lost in the chain");
    const auto events = static_cast<double>(lab.loop().steps() - steps);
    const auto count = static_cast<double>(messages);
    fmt::print(
        "{:24} {:10.0f} messages/s   {:6.2f} s CPU, {:6.2f} s wall, {} messages, {:.0f} events each, {:.0f} ns an "
        "event\n",
        name, count / cost.cpu_seconds, cost.cpu_seconds, cost.wall_seconds, messages, events / count,
        cost.cpu_seconds / events * 1e9);
}

void chain_plain(share played) {
    chain("chain-plain", played, {});
}
void chain_tls(share played) {
    chain_options how;
    how.tls = true;
    how.messages = tls_messages;
    chain("chain-tls", played, how);
}
void chain_one_at_a_time(share played) {
    chain_options how;
    how.one_at_a_time = true;
    chain("chain-one-at-a-time", played, how);
}
void chain_books(share played) {
    chain_options how;
    how.lab.record.conservation = true;
    chain("chain-conservation", played, how);
}
void chain_database_in_memory(share played) {
    chain_options how;
    how.lab.record.database = true;
    chain("chain-db-memory", played, how);
}
void chain_database_on_disk(share played) {
    const tests::scratch_folder folder;
    chain_options how;
    how.lab.record.database = true;
    how.lab.record.database_path = (folder / "run.db").string();
    chain("chain-db-disk", played, how);
}
void chain_capture(share played) {
    const tests::scratch_folder folder;
    sim::record::capture capture((folder / "run.pcapng").string());
    chain_options how;
    how.capture = &capture;
    chain("chain-capture", played, how);
    capture.close();
}

// Five days of tries at a destination that cannot be had, up to the bounces.
void retry(std::string_view name, share played, std::string_view transport) {
    const std::size_t messages = played.of(retry_messages);
    const auto topology = topology_of(dead_destination_text(transport));
    virtual_lab lab(topology, plain_options());
    start_all(lab);
    const spent cost = time_of([&] {
        for (std::size_t i = 0; i < messages; ++i) {
            submit(lab, dead_sender_host, "zibiten@mta.lonely.test", fmt::format("r{}@dead.test", i));
        }
        lab.loop().run_until(mta::never);
    });
    const std::size_t attempts = lines_with(lab, dead_sender_host, "status=deferred");
    expect(lines_with(lab, dead_sender_host, "status=sent (delivered to mailbox)") == messages, "a bounce was lost");
    fmt::print("{:24} {:10.2f} s CPU        {:6.2f} s wall, {} messages, {} attempts, {:.0f} ns an attempt, {} lines\n",
               name, cost.cpu_seconds, cost.wall_seconds, messages, attempts,
               cost.cpu_seconds / static_cast<double>(attempts) * 1e9,
               lab.recorder().log_of(dead_sender_host)->lines());
}
void retry_refused(share played) {
    retry("retry-refused", played, "smtp");
}
void retry_transport(share played) {
    retry("retry-transport", played, "retry:4.0.0 not now");
}

// What a message costs that waits for its next attempt; the maillog is not counted.
void deferred(share played) {
    const std::size_t messages = played.of(deferred_messages);
    const auto topology = topology_of(dead_destination_text("retry:4.0.0 not now"));
    virtual_lab lab(topology, plain_options());
    start_all(lab);
    lab.loop().run_until(lab.loop().now());
    const std::size_t before = heap_in_use();
    for (std::size_t i = 0; i < messages; ++i) {
        submit(lab, dead_sender_host, "zibiten@mta.lonely.test", fmt::format("r{}@dead.test", i));
    }
    // Before the first of them is tried again (minimal_backoff_time).
    lab.loop().run_until(lab.loop().now() + std::chrono::seconds(200));
    const auto& files = lab.machine(dead_sender_host).queue_files().all();
    const auto waiting = std::count_if(files.begin(), files.end(),
                                       [](const auto& each) { return each->where == mta::queue::name::deferred; });
    expect(static_cast<std::size_t>(waiting) == messages, "a message is not in the deferred queue");
    const std::size_t log = lab.recorder().log_of(dead_sender_host)->text().size();
    fmt::print("{:24} {:10.0f} bytes a message, {} in the deferred queue\n", "deferred",
               static_cast<double>(heap_in_use() - before - log) / static_cast<double>(messages), messages);
}

void idle(share) {
    const auto topology = topology_of(many_hosts_text(idle_hosts));
    const std::size_t before = heap_in_use();
    virtual_lab lab(topology, plain_options());
    const std::size_t made = heap_in_use();
    start_all(lab);
    lab.loop().run_until(mta::never);
    const std::size_t started = heap_in_use();
    const auto each = [](std::size_t bytes) { return static_cast<double>(bytes) / idle_hosts; };
    fmt::print("{:24} {:10.0f} bytes a host {:.0f} of them before the start, {} started hosts in one world\n", "idle",
               each(started - before), each(made - before), idle_hosts);
}

// A lab of three hosts from its text to open ports. Keys are made ahead where there are any.
void lab_start(std::string_view name, bool tls) {
    constexpr int repetitions = 20;
    double least = 1e9, sum = 0;
    for (int i = 0; i < repetitions; ++i) {
        spent building, starting, keys;
        std::unique_ptr<virtual_lab> lab;
        std::optional<sim::topology::topology> topology;
        building = time_of([&] {
            topology.emplace(topology_of(chain_text(tls)));
            lab = std::make_unique<virtual_lab>(*topology, plain_options());
        });
        keys = time_of([&] {
            for (const auto& each : topology->hosts)
                lab->machine(each.name).read_file("/lab/tls/" + each.name + ".pem");
        });
        starting = time_of([&] { start_all(*lab); });
        const double total = building.cpu_seconds + starting.cpu_seconds;
        least = std::min(least, total);
        sum += total;
    }
    fmt::print("{:24} {:10.3f} ms CPU       {:.3f} ms at best, of {} starts\n", name, sum / repetitions * 1e3,
               least * 1e3, repetitions);
}
void start_plain(share) {
    lab_start("start-plain", false);
}
void start_tls(share) {
    lab_start("start-tls", true);
}

struct figure {
    std::string_view name;
    void (*measure)(share);
};
constexpr figure figures[] = {
    {"chain-plain", chain_plain},
    {"chain-one-at-a-time", chain_one_at_a_time},
    {"chain-tls", chain_tls},
    {"chain-conservation", chain_books},
    {"chain-db-memory", chain_database_in_memory},
    {"chain-db-disk", chain_database_on_disk},
    {"chain-capture", chain_capture},
    {"retry-refused", retry_refused},
    {"retry-transport", retry_transport},
    {"deferred", deferred},
    {"idle", idle},
    {"start-plain", start_plain},
    {"start-tls", start_tls},
};

int run(std::vector<std::string_view> wanted) {
    constexpr std::string_view option = "--percent=";
    share played;
    if (!wanted.empty() && wanted.front().starts_with(option)) {
        const std::string_view number = wanted.front().substr(option.size());
        const auto end = std::from_chars(number.begin(), number.end(), played.percent).ptr;
        if (end != number.end() || played.percent == 0 || played.percent > 100) {
            fmt::print(stderr, "{}: give a whole number from 1 to 100\n", wanted.front());
            return 2;
        }
        wanted.erase(wanted.begin());
    }
    for (const figure& each : figures) {
        const bool chosen = wanted.empty() || std::any_of(wanted.begin(), wanted.end(),
                                                          [&](auto prefix) { return each.name.starts_with(prefix); });
        if (!chosen) continue;
        try {
            each.measure(played);
        } catch (const std::exception& e) {
            fmt::print(stderr, "{}: {}\n", each.name, e.what());
            return 1;
        }
        std::fflush(stdout);
    }
    return 0;
}

}  // namespace
}  // namespace bench

int main(int count, char** arguments) {
    return bench::run({arguments + 1, arguments + count});
}
