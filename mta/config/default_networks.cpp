#include "mta/config/default_networks.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <optional>
#include <vector>

#include "mta/text/strings.hpp"

namespace mta::config {
namespace {

struct network {
    int family = AF_INET;
    std::array<unsigned char, 16> bytes{};
    int prefix = 0;
};

int address_bits(int family) {
    return family == AF_INET ? 32 : 128;
}

// "192.0.2.1/24", or without a prefix for the address alone.
std::optional<network> parse_network(std::string_view text) {
    network n;
    const auto slash = text.find('/');
    std::string address(text.substr(0, slash));
    if (address.size() > 2 && address.front() == '[' && address.back() == ']')
        address = address.substr(1, address.size() - 2);
    n.family = address.find(':') == std::string::npos ? AF_INET : AF_INET6;
    if (inet_pton(n.family, address.c_str(), n.bytes.data()) != 1) return std::nullopt;
    n.prefix = address_bits(n.family);
    if (slash == std::string_view::npos) return n;
    const auto prefix = text::to_number(text.substr(slash + 1));
    if (!prefix || *prefix > n.prefix) return std::nullopt;
    n.prefix = static_cast<int>(*prefix);
    return n;
}

std::string to_string(network n) {
    for (int bit = n.prefix; bit < address_bits(n.family); ++bit) {
        n.bytes[static_cast<std::size_t>(bit / 8)] &= static_cast<unsigned char>(~(0x80U >> (bit % 8)));
    }
    std::array<char, INET6_ADDRSTRLEN> text{};
    inet_ntop(n.family, n.bytes.data(), text.data(), text.size());
    const std::string address = n.family == AF_INET ? text.data() : "[" + std::string(text.data()) + "]";
    return address + "/" + std::to_string(n.prefix);
}

// The prefix of the address's historical class (A, B, C, and D as one address).
int class_prefix(const network& n) {
    const auto first = n.bytes[0];
    return first < 128 ? 8 : first < 192 ? 16 : first < 224 ? 24 : 32;
}

struct protocols_in_use {
    bool ipv4 = false;
    bool ipv6 = false;
};

protocols_in_use parse_protocols(std::string_view text, const position& blame) {
    protocols_in_use use;
    for (const auto word : text::split(text, text::comma_or_space)) {
        const bool all = text::equal_ignoring_case(word, "all");
        const bool ipv4 = text::equal_ignoring_case(word, "ipv4");
        const bool ipv6 = text::equal_ignoring_case(word, "ipv6");
        if (!all && !ipv4 && !ipv6) {
            throw fatal(blame,
                        "unknown inet_protocols value \"" + std::string(word) + "\" in \"" + std::string(text) + "\"");
        }
        use.ipv4 = use.ipv4 || all || ipv4;
        use.ipv6 = use.ipv6 || all || ipv6;
    }
    return use;
}

// Which of the machine's addresses inet_interfaces names; a host name there is that of no interface here.
std::vector<network> interfaces_in_use(std::span<const std::string> addresses, std::string_view interfaces) {
    std::vector<network> own = {*parse_network("127.0.0.1/8"), *parse_network("::1/128")};
    const std::size_t loopbacks = own.size();
    for (const auto& address : addresses) {
        const auto n = parse_network(address);
        const auto same = [&](const network& o) { return n && o.family == n->family && o.bytes == n->bytes; };
        if (n && std::none_of(own.begin(), own.end(), same)) own.push_back(*n);
    }
    if (text::equal_ignoring_case(interfaces, "loopback-only")) own.resize(loopbacks);
    if (text::equal_ignoring_case(interfaces, "all") || own.size() == loopbacks) return own;
    std::vector<network> named;
    for (const auto word : text::split(interfaces, text::comma_or_space)) {
        if (text::equal_ignoring_case(word, "localhost")) named.insert(named.end(), own.begin(), own.begin() + 2);
        const auto wanted = parse_network(word);
        for (const auto& n : own) {
            if (wanted && n.family == wanted->family && n.bytes == wanted->bytes) named.push_back(n);
        }
    }
    return named;
}

}  // namespace

std::string default_networks(std::span<const std::string> addresses, std::string_view style,
                             std::string_view interfaces, std::string_view protocols, const position& blame) {
    const bool by_host = text::equal_ignoring_case(style, "host");
    const bool by_class = text::equal_ignoring_case(style, "class");
    if (!by_host && !by_class && !text::equal_ignoring_case(style, "subnet")) {
        throw fatal(blame, "unknown mynetworks mask style value \"" + std::string(style) + "\" in \"" +
                               std::string(style) + "\"");
    }
    const auto use = parse_protocols(protocols, blame);
    std::vector<std::string> networks;
    for (const int family : {AF_INET, AF_INET6}) {
        if (family == AF_INET ? !use.ipv4 : !use.ipv6) continue;
        for (auto n : interfaces_in_use(addresses, interfaces)) {
            if (n.family != family) continue;
            if (by_host) n.prefix = address_bits(family);
            if (by_class && family == AF_INET) n.prefix = class_prefix(n);
            auto text = to_string(n);
            if (std::find(networks.begin(), networks.end(), text) == networks.end())
                networks.push_back(std::move(text));
        }
    }
    std::string out;
    for (const auto& n : networks) out += (out.empty() ? "" : " ") + n;
    return out;
}

}  // namespace mta::config
