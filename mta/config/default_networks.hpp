// mta/config/default_networks.hpp - the default of mynetworks: the networks of a machine's own addresses
// (postconf(5), mynetworks_style).
#pragma once
#include <span>
#include <string>
#include <string_view>

#include "mta/config/problem.hpp"

namespace mta::config {

// `addresses` have prefixes ("192.168.137.5/24"); the loopback addresses are added. style, interfaces and protocols
// are the expanded values of mynetworks_style, inet_interfaces and inet_protocols. As postconf prints it:
// "127.0.0.0/8 192.168.137.0/24 [::1]/128". Throws fatal for a style or protocol that Postfix does not know.
std::string default_networks(std::span<const std::string> addresses, std::string_view style,
                             std::string_view interfaces, std::string_view protocols, const position& blame);

}  // namespace mta::config
