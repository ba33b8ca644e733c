#include "mta/table/cidr_match.hpp"

#include <arpa/inet.h>

#include <algorithm>

#include "mta/text/strings.hpp"

namespace mta::table {

std::optional<ip_address> parse_ip(std::string_view source) {
    if (source.size() > INET6_ADDRSTRLEN || source.find('\0') != source.npos) return std::nullopt;
    const std::string text(source);
    ip_address address;
    const bool v6 = text.find(':') != text.npos;
    address.size = v6 ? 16 : 4;
    if (inet_pton(v6 ? AF_INET6 : AF_INET, text.c_str(), address.bytes.data()) != 1) return std::nullopt;
    return address;
}

std::string to_string(const ip_address& address) {
    std::array<char, INET6_ADDRSTRLEN> buffer{};
    inet_ntop(address.size == 16 ? AF_INET6 : AF_INET, address.bytes.data(), buffer.data(), buffer.size());
    return buffer.data();
}

namespace {

struct split_pattern {
    std::string address;
    std::optional<std::string> mask;
    std::string error;
};

// [address], [address]/mask, [address/mask], address/mask or address.
split_pattern split(std::string_view text) {
    std::string bare(text);
    if (text.starts_with('[')) {
        const std::size_t end = text.find(']');
        if (end == text.npos) return {{}, {}, "missing ']' character after \"" + bare + '"'};
        const std::string_view after = text.substr(end + 1);
        if (!after.empty() && after.front() != '/') {
            return {{}, {}, "garbage after \"" + std::string(text.substr(0, end + 1)) + '"'};
        }
        bare = std::string(text.substr(1, end - 1)) + std::string(after);
    }
    const std::size_t slash = bare.find('/');
    if (slash == bare.npos) return {std::move(bare), std::nullopt, {}};
    return {bare.substr(0, slash), bare.substr(slash + 1), {}};
}

ip_address mask_of(std::size_t size, unsigned bits) {
    ip_address mask;
    mask.size = size;
    for (unsigned i = 0; i < size; ++i) {
        const unsigned kept = bits > i * 8 ? std::min(bits - i * 8, 8u) : 0;
        mask.bytes[i] = static_cast<unsigned char>(0xff00u >> kept);
    }
    return mask;
}

}  // namespace

std::variant<cidr_pattern, std::string> cidr_pattern::parse(std::string_view text) {
    const split_pattern parts = split(text);
    if (!parts.error.empty()) return parts.error;
    cidr_pattern pattern;
    const std::optional<ip_address> address = parse_ip(parts.address);
    if (!parts.mask) {
        if (!address) return "bad address pattern: \"" + parts.address + '"';
        pattern.network_ = *address;
        pattern.mask_ = mask_of(address->size, static_cast<unsigned>(address->size * 8));
        return pattern;
    }
    const std::string whole = '"' + parts.address + '/' + *parts.mask + '"';
    if (parts.mask->empty() || !std::all_of(parts.mask->begin(), parts.mask->end(), text::is_digit)) {
        return "bad mask value in " + whole;
    }
    const std::optional<std::int64_t> bits = text::to_number(*parts.mask);
    const std::int64_t most_bits = parts.address.find(':') == std::string::npos ? 32 : 128;
    if (!bits || *bits > most_bits) return "bad mask length in " + whole;
    if (!address) return "bad network value in " + whole;
    pattern.network_ = *address;
    pattern.mask_ = mask_of(address->size, static_cast<unsigned>(*bits));
    for (std::size_t i = 0; i < address->size; ++i) pattern.network_.bytes[i] &= pattern.mask_.bytes[i];
    if (pattern.network_ != *address) {
        return "non-null host address bits in " + whole + ", perhaps you should use \"" + to_string(pattern.network_) +
               '/' + std::to_string(*bits) + "\" instead";
    }
    return pattern;
}

bool cidr_pattern::matches(const ip_address& address) const {
    if (address.size != network_.size) return false;
    for (std::size_t i = 0; i < address.size; ++i) {
        if ((address.bytes[i] & mask_.bytes[i]) != network_.bytes[i]) return false;
    }
    return true;
}

}  // namespace mta::table
