// mta/smtp/host_order.hpp - the hosts of a destination, and the order to try them in (smtp_addr.c): by the preference
// of their MX records, equals at random and those of one address family before those of the other.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace mta {
class random_source;
}

namespace mta::smtp {

struct candidate {
    std::string name;  // of the host, as logged
    std::string address;
    std::uint16_t preference = 0;
    // What DNSSEC says: of the MX record that names it, where one does, and of its own address.
    bool from_mx = false, mx_is_secure = false, is_secure = false;
    std::string canonical;  // what the name is an alias for, by its CNAME records; "" when it is none

    bool is_v6() const { return address.find(':') != std::string::npos; }
};

enum class family_preference : std::uint8_t { any, ipv4, ipv6 };  // smtp_address_preference

struct address_order {
    bool randomize = true;  // smtp_randomize_addresses
    family_preference preferred = family_preference::any;
    // smtp_mx_address_limit where smtp_balance_inet_protocols asks that neither family crowd out the other; 0: no
    // limit.
    std::size_t balanced_limit = 0;
};

// By MX preference only; equals keep their order.
void sort_by_preference(std::vector<candidate>& hosts);
void put_in_order(std::vector<candidate>& hosts, random_source& random, const address_order& order);

}  // namespace mta::smtp
