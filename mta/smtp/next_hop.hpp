// mta/smtp/next_hop.hpp - from a next hop to the hosts to try: MX lookup, address lookup, order (smtp_addr.c).
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mta/async/task.hpp"
#include "mta/config/inet_protocols.hpp"
#include "mta/queue/queue_file.hpp"
#include "mta/smtp/host_order.hpp"

namespace mta {
class Host;
}
namespace mta::address {
class trivial_rewrite;
}
namespace mta::table {
class maps;
}

namespace mta::smtp {

// "[mail.ohio.cc]:587", "york.cc"
struct next_hop {
    std::string domain;
    std::uint16_t port = 25;
    bool no_mx = false;  // in brackets, or with an address
    std::string as_written;
};
// Nothing for what is no host and port; `fault` is then what Postfix's client says of it before it ends (host_port(3)).
std::optional<next_hop> parse_next_hop(std::string_view text, std::uint16_t default_port, std::string* fault = nullptr);

struct candidates {
    std::vector<candidate> hosts;                   // in the order to try them
    std::optional<queue::delivery_status> failure;  // why there is none
    bool loops = false;                             // the best of them is this host
    std::vector<std::string> remarks, warnings;     // for the log
    bool first_answer_is_secure = false;            // DNSSEC vouches for what was asked first
};

struct lookup_settings {
    bool ignore_mx_lookup_error = false;
    bool defer_if_no_mx_address_found = false;
    bool detect_loops = true;  // on the SMTP port only
    // smtp_host_lookup: addresses from the DNS, then as the machine's own programs find them. Without the DNS
    // (disable_dns_lookups) no domain has MX hosts.
    bool has_dns = true, asks_dns = true, asks_natively = false;
    const table::maps* reply_filter = nullptr;      // smtp_dns_reply_filter
    config::inet_protocols protocols{true, false};  // an address of another is only a name that is none
    address_order order;
};

// Asks for MX records of a domain, or for the addresses of a host in brackets.
task<candidates> find_hosts(Host& host, address::trivial_rewrite& rewrite, next_hop to, lookup_settings settings);

}  // namespace mta::smtp
