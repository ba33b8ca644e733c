// mta/config/inet_protocols.hpp - which of IPv4 and IPv6 a mail system speaks (postconf(5), inet_protocols).
#pragma once
#include <string_view>
#include <vector>

#include "mta/address/ip_address.hpp"
#include "mta/dns.hpp"

namespace mta::config {

struct inet_protocols {
    bool ipv4 = false, ipv6 = false;

    // "all", or words that name one or both; other words are refused where main.cf is checked.
    static inet_protocols parse(std::string_view text);

    bool speaks(const address::ip_address& to) const { return to.is_v4() ? ipv4 : ipv6; }
    // What to ask the DNS for, in Postfix's order.
    std::vector<dns::record_type> address_types() const;
};

}  // namespace mta::config
