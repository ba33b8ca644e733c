#include "mta/address/ip_address.hpp"

#include <arpa/inet.h>

#include <algorithm>

#include "mta/text/strings.hpp"

namespace mta::address {
namespace {

constexpr std::string_view ipv6_prefix = "IPv6:";

// Room for the longest text of an address and its NUL.
using text_buffer = std::array<char, INET6_ADDRSTRLEN>;

bool all_zero(std::array<std::uint8_t, 16>::const_iterator begin, std::array<std::uint8_t, 16>::const_iterator end) {
    return std::all_of(begin, end, [](std::uint8_t byte) { return byte == 0; });
}

std::optional<unsigned> parse_prefix(std::string_view digits, unsigned longest) {
    const auto number = text::to_number(digits);
    if (!number || *number > longest) return std::nullopt;
    return static_cast<unsigned>(*number);
}

// "[net/len]" and "[net]/len" without their brackets, or what is wrong with the brackets.
ip_network::parsed strip_brackets(std::string_view& pattern, std::string& storage) {
    const auto closing = pattern.find(']');
    if (closing == std::string_view::npos) {
        return {std::nullopt, "missing ']' character after \"" + std::string(pattern) + "\""};
    }
    const std::string_view inside = pattern.substr(1, closing - 1);
    const std::string_view rest = pattern.substr(closing + 1);
    if (!rest.empty() && rest.front() != '/') {
        return {std::nullopt, "garbage after \"[" + std::string(inside) + "]\""};
    }
    storage.assign(inside);
    storage.append(rest);
    pattern = storage;
    return {};
}

}  // namespace

std::optional<ip_address> ip_address::parse(std::string_view text) {
    text_buffer buffer;
    if (text.empty() || text.size() >= buffer.size() || text.find('\0') != std::string_view::npos) return std::nullopt;
    *std::copy(text.begin(), text.end(), buffer.begin()) = '\0';
    ip_address result;
    if (text.find(':') == std::string_view::npos) {
        if (inet_pton(AF_INET, buffer.data(), result.bytes_.data()) != 1) return std::nullopt;
        return result;
    }
    if (inet_pton(AF_INET6, buffer.data(), result.bytes_.data()) != 1) return std::nullopt;
    result.family_ = ip_family::v6;
    return result;
}

std::optional<ip_address> ip_address::parse_literal(std::string_view text) {
    if (text.size() < 2 || text.front() != '[' || text.back() != ']') return std::nullopt;
    text = text.substr(1, text.size() - 2);
    const bool named_v6 = text::starts_with_ignoring_case(text, ipv6_prefix);
    const auto address = parse(named_v6 ? text.substr(ipv6_prefix.size()) : text);
    if (!address || address->is_v6() != named_v6) return std::nullopt;
    return address;
}

bool ip_address::is_loopback() const {
    return is_v4() ? bytes_[0] == 127 : all_zero(bytes_.begin(), bytes_.end() - 1) && bytes_[15] == 1;
}

bool ip_address::is_unspecified() const {
    return all_zero(bytes_.begin(), bytes_.end());
}

bool ip_address::is_multicast() const {
    return is_v4() ? (bytes_[0] & 0xF0) == 0xE0 : bytes_[0] == 0xFF;
}

bool ip_address::is_v4_mapped() const {
    return is_v6() && all_zero(bytes_.begin(), bytes_.begin() + 10) && bytes_[10] == 0xFF && bytes_[11] == 0xFF;
}

ip_address ip_address::unmapped() const {
    return is_v4_mapped() ? v4(bytes_[12], bytes_[13], bytes_[14], bytes_[15]) : *this;
}

ip_address ip_address::masked(unsigned prefix) const {
    ip_address result = *this;
    for (unsigned i = 0; i < bit_count() / 8; ++i) {
        const unsigned kept = prefix > i * 8 ? std::min(8U, prefix - i * 8) : 0;
        result.bytes_[i] = static_cast<std::uint8_t>(result.bytes_[i] & ~(0xFFU >> kept));
    }
    return result;
}

std::string ip_address::to_string() const {
    text_buffer buffer{};
    inet_ntop(is_v4() ? AF_INET : AF_INET6, bytes_.data(), buffer.data(), buffer.size());
    return buffer.data();
}

std::string ip_address::to_literal() const {
    return (is_v4() ? "[" : "[" + std::string(ipv6_prefix)) + to_string() + "]";
}

std::string ip_address::reverse_name() const {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string name;
    if (is_v4()) {
        for (int i = 3; i >= 0; --i) name += std::to_string(bytes_[static_cast<std::size_t>(i)]) + ".";
        return name + "in-addr.arpa";
    }
    for (int i = 15; i >= 0; --i) {
        const auto byte = bytes_[static_cast<std::size_t>(i)];
        for (const char nibble : {digits[byte & 15U], digits[byte >> 4U]}) {
            name += nibble;
            name += '.';
        }
    }
    return name + "ip6.arpa";
}

ip_network::ip_network(const ip_address& address, unsigned prefix)
    : base_(address.masked(std::min(prefix, address.bit_count()))), prefix_(std::min(prefix, address.bit_count())) {}

ip_network::parsed ip_network::parse(std::string_view pattern) {
    std::string storage;
    if (pattern.starts_with('[')) {
        if (auto wrong = strip_brackets(pattern, storage); !wrong.error.empty()) return wrong;
    }
    const auto slash = pattern.find('/');
    const std::string_view net = pattern.substr(0, slash);
    const auto address = ip_address::parse(net);
    if (slash == std::string_view::npos) {
        if (!address) return {std::nullopt, "bad address pattern: \"" + std::string(pattern) + "\""};
        return {ip_network(*address), ""};
    }
    const auto fault = [pattern](std::string_view what) {
        return parsed{std::nullopt, std::string(what) + " in \"" + std::string(pattern) + "\""};
    };
    const std::string_view mask = pattern.substr(slash + 1);
    if (mask.empty() || !std::all_of(mask.begin(), mask.end(), text::is_digit)) return fault("bad mask value");
    const auto prefix = parse_prefix(mask, net.find(':') == std::string_view::npos ? 32 : 128);
    if (!prefix) return fault("bad mask length");
    if (!address) return fault("bad network value");
    const ip_network network(*address, *prefix);
    if (network.base_ != *address) {
        return {std::nullopt, "non-null host address bits in \"" + std::string(pattern) +
                                  "\", perhaps you should use \"" + network.to_string() + "\" instead"};
    }
    return {network, ""};
}

bool ip_network::contains(const ip_address& address) const {
    return address.family() == base_.family() && address.masked(prefix_) == base_;
}

std::string ip_network::to_string() const {
    return base_.to_string() + "/" + std::to_string(prefix_);
}

}  // namespace mta::address
