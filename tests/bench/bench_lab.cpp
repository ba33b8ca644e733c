#include "tests/bench/bench_lab.hpp"

#include <fmt/format.h>

#include <stdexcept>

#include "sim/topology/loader.hpp"

namespace bench {

sim::topology::topology topology_of(const std::string& text) {
    sim::topology::load_result loaded = sim::topology::load_text(text, "benchmark");
    if (!loaded.ok()) throw std::runtime_error(sim::topology::to_string(loaded.problems.front()));
    return std::move(*loaded.value);
}

std::string chain_text(bool tls) {
    return fmt::format(R"(
name: chain
network: {{subnet: 192.168.137.0/24}}
zones:
  york.test: |
    @ IN MX 10 mta3.chain.test.
hosts:
  mta1.chain.test:
    address: 192.168.137.2
{0}    postfix: {{relayhost: "[mta2.chain.test]", mydestination: $myhostname}}
  mta2.chain.test:
    address: 192.168.137.9
{0}    postfix: {{mydestination: $myhostname, mynetworks: 0.0.0.0/0}}
  mta3.chain.test:
    address: 192.168.137.5
{0}    mailboxes: [kimchen]
    postfix: {{mydestination: "$myhostname, york.test"}}
)",
                       tls ? "    tls: true\n" : "");
}

std::string dead_destination_text(std::string_view default_transport) {
    return fmt::format(R"(
name: dead-destination
network: {{subnet: 10.0.0.0/24}}
zones:
  dead.test: |
    @ IN MX 10 silent.dead.test.
hosts:
  mta.lonely.test:
    address: 10.0.0.2
    mailboxes: [zibiten]
    postfix: {{mydestination: $myhostname, default_transport: "{}"}}
clients:
  silent.dead.test: {{address: 10.0.0.3}}
)",
                       default_transport);
}

std::string many_hosts_text(std::size_t count) {
    std::string text = "name: many\nnetwork: {subnet: 10.0.0.0/16}\nhosts:\n";
    for (std::size_t i = 0; i < count; ++i) {
        text += fmt::format("  m{}.many.test: {{address: 10.0.{}.{}}}\n", i, 1 + i / 250, 1 + i % 250);
    }
    return text;
}

sim::lab::options plain_options() {
    sim::lab::options how;
    how.record.database = false;
    how.record.conservation = false;
    return how;
}

void start_all(sim::lab::virtual_lab& lab) {
    for (const auto& each : lab.topology().hosts) lab.mail_system(each.name).start();
}

void submit(sim::lab::virtual_lab& lab, std::string_view host, std::string sender, std::string recipient) {
    mta::master::submission message;
    message.sender = std::move(sender);
    message.recipients.push_back(std::move(recipient));
    message.content =
        "Subject: hello\nMessage-ID: <one@chain.test>\nDate: Fri, 20 Nov 2026 09:00:00 +0000\n\nOne line of text.\n";
    lab.mail_system(host).submit(std::move(message));
}

std::size_t lines_with(sim::lab::virtual_lab& lab, std::string_view host, std::string_view text) {
    std::size_t count = 0;
    lab.recorder().log_of(host)->each_line([&](std::string_view line) {
        count += line.find(text) != std::string_view::npos ? 1 : 0;
        return true;
    });
    return count;
}

}  // namespace bench
