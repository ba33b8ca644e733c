// sim/dns/name_key.hpp - DNS names as keys that sort in DNSSEC order, so that a zone's subtree is a range (RFC
// 4034, 6.1).
//
// A key is the labels' bytes in lower case, the last label first, each ended by a NUL; NUL and SOH inside a label are
// written as two bytes that sort the same. The root is "". A parent's key is a prefix of its children's.
#pragma once
#include <optional>
#include <string>
#include <string_view>

namespace sim::dns {

// Nothing when the name does not fit the wire (mta::dns::wire_sized).
std::optional<std::string> key_of(std::string_view name);
// The key of the name without its first label; the root's is the root's.
std::string_view parent_key(std::string_view key);

inline constexpr std::string_view wildcard_label("*\0", 2);

}  // namespace sim::dns
