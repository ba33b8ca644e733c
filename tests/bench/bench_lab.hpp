// tests/bench/bench_lab.hpp - the labs that the end-to-end benchmarks run: made from a topology's text, started, and
// checked at the end, so that no figure comes from mail that was lost.
#pragma once
#include <memory>
#include <string>
#include <string_view>

#include "sim/lab/virtual_lab.hpp"

namespace bench {

// Throws std::runtime_error with the first problem when the text is wrong.
sim::topology::topology topology_of(const std::string& text);

// Three hosts: the first hands all its mail to the second, an open relay, which finds the third by its MX.
std::string chain_text(bool tls);
inline constexpr std::string_view chain_first = "mta1.chain.test", chain_last = "mta3.chain.test";

// One host and a machine where no port is open, the only mail exchanger of dead.test.
std::string dead_destination_text(std::string_view default_transport);
inline constexpr std::string_view dead_sender_host = "mta.lonely.test";

// `count` hosts with nothing but a name and an address.
std::string many_hosts_text(std::size_t count);

// No database, no books of mail: what a run costs at the least. Logs are rendered.
sim::lab::options plain_options();

void start_all(sim::lab::virtual_lab& lab);
void submit(sim::lab::virtual_lab& lab, std::string_view host, std::string sender, std::string recipient);
// How many lines of a host's maillog hold `text`.
std::size_t lines_with(sim::lab::virtual_lab& lab, std::string_view host, std::string_view text);

}  // namespace bench
