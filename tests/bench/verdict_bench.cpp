// tests/bench/verdict_bench.cpp - one verdict of twelve restrictions over hash, cidr and pcre tables: what each line of
// `relaylab explain --matrix` costs.
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <string>

#include "sim/lab/check.hpp"
#include "sim/lab/verdict_report.hpp"

namespace {

// A topology of one server with tables of a thousand entries.
std::string server_with_tables() {
    std::string text = R"(hosts:
  mx.shop.example:
    address: 192.168.137.5
    postfix:
      mydestination: shop.example
      mynetworks: 127.0.0.0/8, 192.168.0.0/16
      relay_domains: partner.example
      local_recipient_maps: ""
      smtpd_helo_required: yes
      smtpd_client_restrictions: permit_mynetworks, check_client_access cidr:$lab_files/networks, check_client_access hash:$lab_files/clients
      smtpd_helo_restrictions: reject_invalid_helo_hostname, reject_non_fqdn_helo_hostname, check_helo_access pcre:$lab_files/helo
      smtpd_sender_restrictions: reject_non_fqdn_sender, check_sender_access hash:$lab_files/senders
      smtpd_relay_restrictions: permit_mynetworks, reject_unauth_destination
      smtpd_recipient_restrictions: reject_non_fqdn_recipient, check_recipient_access hash:$lab_files/recipients
    files:
)";
    const auto table = [&](std::string_view name, int entries, auto entry) {
        text += fmt::format("      {}: |\n", name);
        for (int i = 0; i < entries; ++i) text += "        " + entry(i) + "\n";
    };
    table("networks", 100, [](int i) { return fmt::format("172.16.{}.0/24 REJECT", i); });
    table("clients", 1000, [](int i) { return fmt::format("bad{}.example.org REJECT", i); });
    table("helo", 3, [](int i) { return fmt::format("/^dsl{}[0-9]+\\./ REJECT dynamic", i); });
    table("senders", 1000, [](int i) { return fmt::format("spam{}@dom{}.example REJECT", i, i % 500); });
    table("recipients", 1000, [](int i) { return fmt::format("user{}@shop.example DUNNO", i); });
    return text;
}

void verdict(benchmark::State& state) {
    const auto loaded = sim::topology::load_text(server_with_tables(), "bench.yaml", sim::lab::check_hooks());
    if (!loaded.ok()) return state.SkipWithError("the topology does not load");
    sim::lab::trial host(*loaded.value, "mx.shop.example");
    sim::lab::examiner by(host, "smtp");
    const auto client = by.client("10.1.2.3[client.example.net]");
    std::int64_t asked = 0, refused = 0;
    const auto next = [&](mta::smtpd::trial_question& made) {
        if (!state.KeepRunning()) return false;
        ++asked;
        made.client = *client;
        made.helo = fmt::format("h{}.example.net", asked % 1000);
        made.sender = fmt::format("user{}@dom{}.example", asked, asked % 500);
        made.recipients.assign(1, fmt::format("user{}@shop.example", asked % 5000));
        return true;
    };
    by.judge(next, [&](const sim::lab::examiner::verdict& got) { refused += got.refused; });
    if (refused != 0) state.SkipWithError("a verdict is not as it should be");
    state.SetItemsProcessed(asked);
}
BENCHMARK(verdict);

}  // namespace
