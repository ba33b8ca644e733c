// mta/smtp/dane.hpp - the levels dane and dane-only: which TLSA records a server is held to, and what becomes of the
// level when there are none (RFC 7672, smtp_tls_policy.c's dane_init).
#pragma once
#include "mta/async/task.hpp"
#include "mta/smtp/next_hop.hpp"
#include "mta/smtp/tls_policy.hpp"

namespace mta {
class Host;
}

namespace mta::smtp {

struct dane_settings {
    std::string probe;                       // dnssec_probe: "ns:."; "" for none
    bool dnssec = false;                     // smtp_dns_support_level
    bool ignores_mx_errors = false;          // ignore_mx_lookup_error
    bool asks_insecure_hosts = false;        // smtp_tls_force_insecure_host_tlsa_lookup
    tls_level insecure_mx = tls_level::may;  // smtp_tls_dane_insecure_mx_policy
};

// Asks what every validating resolver vouches for (dnssec_probe); "" when ours does, else what is wrong.
task<std::string> probe_dnssec(Host& host, std::string what);

// Does nothing at the other levels. After it the level is dane with records, or weaker, or the policy has failed.
task<void> settle_dane(Host& host, const dane_settings& with, const next_hop& to, const candidate& server,
                       tls_policy& policy);

}  // namespace mta::smtp
