// sim/record/json.hpp - strings as JSON (RFC 8259) and as well-formed UTF-8 (RFC 3629), piece by piece.
#pragma once
#include <string>
#include <string_view>

namespace sim::record {

// Appends `text` in quotes. Control characters are escaped; what is no UTF-8 becomes U+FFFD, so that any reader takes
// it.
void append_json_string(std::string& out, std::string_view text);

// Whether `text` is UTF-8 without a NUL: what every SQLite client can read back.
bool is_well_formed(std::string_view text);
// `text` with U+FFFD for each byte that keeps it from that.
std::string well_formed(std::string_view text);

}  // namespace sim::record
