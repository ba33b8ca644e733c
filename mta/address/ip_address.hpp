// mta/address/ip_address.hpp - IPv4 and IPv6 addresses and networks as values (RFC 4291, RFC 5952, cidr_table(5)).
//
// Parsing takes what Postfix takes (inet_pton(3) forms; no octal, no short forms, no zone index) and yields nothing for
// anything else. A network's parse error is the text that Postfix logs. Nothing here allocates but the printers.
#pragma once
#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace mta::address {

enum class ip_family : std::uint8_t { v4 = 4, v6 = 6 };

class ip_address {
  public:
    // 0.0.0.0
    constexpr ip_address() = default;
    static constexpr ip_address v4(std::uint8_t a, std::uint8_t b, std::uint8_t c, std::uint8_t d) {
        ip_address result;
        result.bytes_ = {a, b, c, d};
        return result;
    }
    static constexpr ip_address v4(std::uint32_t host_order) {
        return v4(static_cast<std::uint8_t>(host_order >> 24), static_cast<std::uint8_t>(host_order >> 16),
                  static_cast<std::uint8_t>(host_order >> 8), static_cast<std::uint8_t>(host_order));
    }
    static constexpr ip_address v6(const std::array<std::uint8_t, 16>& network_order) {
        ip_address result;
        result.bytes_ = network_order;
        result.family_ = ip_family::v6;
        return result;
    }
    // "192.0.2.1", "2001:db8::1". No brackets, no "IPv6:", no mask.
    static std::optional<ip_address> parse(std::string_view text);
    // "[192.0.2.1]", "[IPv6:2001:db8::1]" (RFC 5321 4.1.3); the prefix in any case.
    static std::optional<ip_address> parse_literal(std::string_view text);

    constexpr ip_family family() const { return family_; }
    constexpr bool is_v4() const { return family_ == ip_family::v4; }
    constexpr bool is_v6() const { return family_ == ip_family::v6; }
    // 32 or 128
    constexpr unsigned bit_count() const { return is_v4() ? 32 : 128; }
    // Network order; an IPv4 address fills the first four and leaves the rest zero.
    constexpr const std::array<std::uint8_t, 16>& bytes() const { return bytes_; }
    // The IPv4 address in host order; 0 for IPv6.
    constexpr std::uint32_t v4_number() const {
        return is_v4() ? (std::uint32_t{bytes_[0]} << 24) | (std::uint32_t{bytes_[1]} << 16) |
                             (std::uint32_t{bytes_[2]} << 8) | bytes_[3]
                       : 0;
    }

    bool is_loopback() const;     // 127.0.0.0/8, ::1
    bool is_unspecified() const;  // 0.0.0.0, ::
    bool is_multicast() const;    // 224.0.0.0/4, ff00::/8
    bool is_v4_mapped() const;    // ::ffff:0:0/96
    // ::ffff:192.0.2.1 as 192.0.2.1; any other address as it is.
    ip_address unmapped() const;
    // The same address with all but the first `prefix` bits cleared; `prefix` is at most bit_count().
    ip_address masked(unsigned prefix) const;

    // As inet_ntop(3) prints it.
    std::string to_string() const;
    // As RFC 5321 writes it in a mail address: "[192.0.2.1]", "[IPv6:2001:db8::1]".
    std::string to_literal() const;
    // The name to ask for a PTR record, without a last dot: "1.2.0.192.in-addr.arpa".
    std::string reverse_name() const;

    // IPv4 before IPv6, then by number.
    friend constexpr std::strong_ordering operator<=>(const ip_address& a, const ip_address& b) {
        if (a.family_ != b.family_) return a.family_ <=> b.family_;
        return a.bytes_ <=> b.bytes_;
    }
    friend constexpr bool operator==(const ip_address&, const ip_address&) = default;

  private:
    std::array<std::uint8_t, 16> bytes_{};
    ip_family family_ = ip_family::v4;
};

class ip_network {
  public:
    struct parsed;

    // 0.0.0.0/32
    constexpr ip_network() = default;
    // The network of `address`: bits past `prefix` are cleared, and a prefix too long is cut.
    ip_network(const ip_address& address, unsigned prefix);
    explicit ip_network(const ip_address& address) : ip_network(address, address.bit_count()) {}

    // "192.0.2.0/24", "192.0.2.1", "2001:db8::/32", "[2001:db8::]/32", "[2001:db8::/32]".
    static parsed parse(std::string_view text);

    bool contains(const ip_address& address) const;
    const ip_address& base() const { return base_; }
    unsigned prefix() const { return prefix_; }
    std::string to_string() const;  // "192.0.2.0/24"

    friend bool operator==(const ip_network&, const ip_network&) = default;
    friend std::strong_ordering operator<=>(const ip_network&, const ip_network&) = default;

  private:
    ip_address base_;
    unsigned prefix_ = 32;
};

// A network, or Postfix's words for what is wrong ("non-null host address bits in ...").
struct ip_network::parsed {
    std::optional<ip_network> network;
    std::string error;
};

}  // namespace mta::address
