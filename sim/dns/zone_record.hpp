// sim/dns/zone_record.hpp - a record as the scanner hands it out (wire format) as a value (RFC 1035, 3.3; RFC 2782,
// 6698).
//
// The scanner has checked what it hands out; a length that does not fit all the same gives nothing.
#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "mta/dns.hpp"

namespace sim::dns {

using wire = std::span<const std::uint8_t>;

// An uncompressed name at `at`, which is moved behind it.
std::optional<std::string> name_from_wire(wire bytes, std::size_t& at);
// Nothing but owner and TTL are left for the caller to fill in.
std::optional<mta::dns::record> record_from_wire(mta::dns::record_type type, wire data);

// RFC 952, 1123 and BIND's check-names: letters, digits and inner hyphens; a first label "*" if wildcards are allowed.
enum class wildcards : std::uint8_t { refused, allowed };
bool is_host_name(std::string_view name, wildcards first_label);

}  // namespace sim::dns
