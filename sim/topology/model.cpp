#include "sim/topology/model.hpp"

#include <algorithm>

#include "mta/text/strings.hpp"

namespace sim::topology {

std::string to_string(address a) {
    std::string text;
    for (int shift = 24; shift >= 0; shift -= 8) {
        text += std::to_string((a.bits >> shift) & 255);
        if (shift > 0) text += '.';
    }
    return text;
}

std::optional<address> parse_address(std::string_view text) {
    std::uint32_t bits = 0;
    for (int part = 0; part < 4; ++part) {
        const std::size_t end = part < 3 ? text.find('.') : text.size();
        if (end == std::string_view::npos || end == 0 || end > 3) return std::nullopt;
        const auto digits = text.substr(0, end);
        const auto number = mta::text::to_number(digits);
        if (!number || *number > 255 || (end > 1 && digits[0] == '0')) return std::nullopt;
        bits = bits << 8 | static_cast<std::uint32_t>(*number);
        text.remove_prefix(part < 3 ? end + 1 : end);
    }
    return address{bits};
}

std::string to_string(subnet s) {
    return to_string(s.base) + "/" + std::to_string(s.prefix);
}

std::optional<subnet> parse_subnet(std::string_view text) {
    const std::size_t slash = text.find('/');
    if (slash == std::string_view::npos) return std::nullopt;
    const auto base = parse_address(text.substr(0, slash));
    const auto prefix = mta::text::to_number(text.substr(slash + 1));
    if (!base || !prefix || *prefix > 32) return std::nullopt;
    const subnet found{*base, static_cast<int>(*prefix)};
    if ((base->bits & ~found.mask()) != 0) return std::nullopt;
    return found;
}

std::optional<policy_place> parse_policy_place(std::string_view endpoint) {
    constexpr std::string_view unix_prefix = "unix:", inet_prefix = "inet:";
    policy_place found;
    if (endpoint.starts_with(unix_prefix)) {
        found.path = endpoint.substr(unix_prefix.size());
        if (found.path.empty()) return std::nullopt;
        return found;
    }
    if (!endpoint.starts_with(inet_prefix)) return std::nullopt;
    endpoint.remove_prefix(inet_prefix.size());
    if (const auto colon = endpoint.find(':'); colon != std::string_view::npos) {
        const auto host = endpoint.substr(0, colon);
        if (host != "127.0.0.1" && host != "localhost") return std::nullopt;
        found.loopback = true;
        endpoint.remove_prefix(colon + 1);
    }
    const auto port = mta::text::to_number(endpoint);
    if (!port || *port < 1 || *port > 65535) return std::nullopt;
    found.port = static_cast<std::uint16_t>(*port);
    return found;
}

position block_text::place(int line, int column) const {
    if (!literal || line < 1) return at;
    return {at.file, at.line + line - 1, column < 1 ? at.column : at.column + column - 1};
}

const host* topology::find_host(std::string_view wanted) const {
    const auto found = std::find_if(hosts.begin(), hosts.end(), [&](const host& h) { return h.name == wanted; });
    return found == hosts.end() ? nullptr : &*found;
}

const machine* topology::find_machine(std::string_view wanted) const {
    if (const host* found = find_host(wanted)) return found;
    for (const client& c : clients)
        if (c.name == wanted) return &c;
    for (const server& s : servers)
        if (s.name == wanted) return &s;
    return nullptr;
}

}  // namespace sim::topology
