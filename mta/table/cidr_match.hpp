// mta/table/cidr_match.hpp - an address pattern: 192.0.2.1, 192.0.2.0/24, 2001:db8::/32, with or without [] around the
// address (cidr_match.c). A pattern that does not parse gives Postfix's words for what is wrong with it.
#pragma once
#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace mta::table {

struct ip_address {
    std::array<unsigned char, 16> bytes{};  // network order; the first 4 for IPv4
    std::size_t size = 4;                   // 4 or 16

    friend bool operator==(const ip_address&, const ip_address&) = default;
};

// inet_pton(3) forms only: four decimal octets, or RFC 4291 text without a zone.
std::optional<ip_address> parse_ip(std::string_view text);
std::string to_string(const ip_address& address);

class cidr_pattern {
  public:
    // The pattern, or the text of Postfix's complaint.
    static std::variant<cidr_pattern, std::string> parse(std::string_view text);
    bool matches(const ip_address& address) const;
    bool same_family(const ip_address& address) const { return address.size == network_.size; }

  private:
    ip_address network_, mask_;
};

}  // namespace mta::table
