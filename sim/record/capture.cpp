#include "sim/record/capture.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <span>
#include <system_error>
#include <utility>

namespace sim::record {
namespace {

using mta::address::ip_address;
using network::socket_address;

constexpr std::uint32_t section_header = 0x0A0D0D0A, interface_description = 1, enhanced_packet = 6,
                        decryption_secrets = 10;
constexpr std::uint16_t link_type_raw = 101;
constexpr std::uint32_t tls_key_log = 0x544c534b;
// Both ends of a connection tell their secrets within one handshake; this many lines are told apart.
constexpr std::size_t recent_keys = 256;
constexpr std::uint8_t protocol_tcp = 6, protocol_udp = 17;

// pcapng is in the byte order of its section header; ours is little-endian on every machine.
void little16(std::string& out, std::uint16_t value) {
    out += static_cast<char>(value & 0xff);
    out += static_cast<char>(value >> 8);
}
void little32(std::string& out, std::uint32_t value) {
    little16(out, static_cast<std::uint16_t>(value & 0xffff));
    little16(out, static_cast<std::uint16_t>(value >> 16));
}
void big16(std::string& out, std::uint16_t value) {
    out += static_cast<char>(value >> 8);
    out += static_cast<char>(value & 0xff);
}
void big32(std::string& out, std::uint32_t value) {
    big16(out, static_cast<std::uint16_t>(value >> 16));
    big16(out, static_cast<std::uint16_t>(value & 0xffff));
}

void pad(std::string& out) {
    out.append((4 - out.size() % 4) % 4, '\0');
}

void option(std::string& out, std::uint16_t code, std::string_view value) {
    little16(out, code);
    little16(out, static_cast<std::uint16_t>(value.size()));
    out += value;
    pad(out);
}
void end_of_options(std::string& out) {
    out.append(4, '\0');
}

// A block of `type` is begun, filled, and then told its length at both of its ends.
void begin_block(std::string& out, std::uint32_t type) {
    out.clear();
    little32(out, type);
    little32(out, 0);
}
void end_block(std::string& out) {
    pad(out);
    std::string length;
    little32(length, static_cast<std::uint32_t>(out.size() + 4));
    out.replace(4, 4, length);
    out += length;
}

// RFC 1071, continued from `sum`; only the last piece may have an odd size.
std::uint32_t add_up(std::string_view bytes, std::uint32_t sum) {
    for (std::size_t i = 0; i < bytes.size(); i += 2) {
        const auto high = static_cast<unsigned char>(bytes[i]);
        const auto low = i + 1 < bytes.size() ? static_cast<unsigned char>(bytes[i + 1]) : 0u;
        sum += (std::uint32_t{high} << 8) | low;
        sum = (sum & 0xffff) + (sum >> 16);
    }
    return sum;
}
std::uint16_t checksum(std::uint32_t sum) {
    sum = (sum & 0xffff) + (sum >> 16);
    return static_cast<std::uint16_t>(~sum & 0xffff);
}
void put16(std::string& out, std::size_t at, std::uint16_t value) {
    out[at] = static_cast<char>(value >> 8);
    out[at + 1] = static_cast<char>(value & 0xff);
}

std::string_view raw_address(const ip_address& address) {
    return {reinterpret_cast<const char*>(address.bytes().data()), address.is_v4() ? 4u : 16u};
}

// Appends the header of RFC 791 or RFC 8200.
void append_ip_header(std::string& out, const ip_address& from, const ip_address& to, std::uint8_t protocol,
                      std::size_t payload_size, std::uint16_t identification) {
    const std::size_t start = out.size();
    if (from.is_v4()) {
        big16(out, 0x4500);
        big16(out, static_cast<std::uint16_t>(20 + payload_size));
        big16(out, identification);
        big16(out, 0x4000);  // don't fragment
        out += static_cast<char>(64);
        out += static_cast<char>(protocol);
        big16(out, 0);
        (out += raw_address(from)) += raw_address(to);
        put16(out, start + 10, checksum(add_up(std::string_view(out).substr(start), 0)));
    } else {
        big32(out, 0x60000000);
        big16(out, static_cast<std::uint16_t>(payload_size));
        out += static_cast<char>(protocol);
        out += static_cast<char>(64);
        (out += raw_address(from)) += raw_address(to);
    }
}

std::uint32_t pseudo_header(const ip_address& from, const ip_address& to, std::uint8_t protocol, std::size_t size) {
    return add_up(raw_address(to), add_up(raw_address(from), static_cast<std::uint32_t>(protocol + size)));
}

[[noreturn]] void refuse(const std::string& path, std::string_view doing) {
    const std::error_code why(errno, std::generic_category());
    throw record_error(path + ": cannot " + std::string(doing) + ": " + why.message());
}

}  // namespace

capture::capture(std::string path, std::string key_log) : path_(std::move(path)), key_log_path_(std::move(key_log)) {
    out_.open(path_, std::ios::binary | std::ios::trunc);
    if (!out_) refuse(path_, "create the capture");
    if (!key_log_path_.empty()) {
        keys_.open(key_log_path_, std::ios::binary | std::ios::trunc);
        if (!keys_) refuse(key_log_path_, "create the TLS key log");
    }
    begin_block(block_, section_header);
    little32(block_, 0x1A2B3C4D);
    little16(block_, 1);  // version 1.0
    little16(block_, 0);
    block_.append(8, '\xff');       // a section of unknown length
    option(block_, 4, "relaylab");  // shb_userappl
    end_of_options(block_);
    end_block(block_);
    write(block_);

    begin_block(block_, interface_description);
    little16(block_, link_type_raw);
    little16(block_, 0);
    little32(block_, 0);        // no snapshot length
    option(block_, 2, "lab");   // if_name
    option(block_, 9, "\x09");  // if_tsresol: 10^-9 s
    end_of_options(block_);
    end_block(block_);
    write(block_);
}

capture::~capture() {
    try {
        close();
    } catch (const record_error&) {
        // close() is how a caller learns of it.
    }
}

void capture::write(std::string_view block) {
    out_.write(block.data(), static_cast<std::streamsize>(block.size()));
    if (!out_) refuse(path_, "write the capture");
}

void capture::tcp(const network::segment& sent) {
    std::string_view rest = sent.payload;
    std::uint32_t sequence = sent.sequence;
    bool first = true;
    do {
        const std::string_view piece = rest.substr(0, maximum_segment_size);
        rest.remove_prefix(piece.size());
        // The first piece opens, the last one closes and pushes.
        auto flags = static_cast<unsigned>(sent.flags);
        if (!first) flags &= ~static_cast<unsigned>(network::tcp_syn);
        if (!rest.empty()) flags &= ~static_cast<unsigned>(network::tcp_fin | network::tcp_psh | network::tcp_rst);
        if (rest.empty() && !piece.empty()) flags |= network::tcp_psh;
        const bool opens = (flags & network::tcp_syn) != 0;

        std::string header;
        big16(header, sent.from.port);
        big16(header, sent.to.port);
        big32(header, sequence);
        big32(header, (flags & network::tcp_ack) != 0 ? sent.acknowledgement : 0);
        header += static_cast<char>(opens ? 0x60 : 0x50);
        header += static_cast<char>(flags);
        big16(header, 65535);  // window
        big32(header, 0);      // checksum, urgent pointer
        if (opens) big32(header, 0x02040000u | maximum_segment_size);
        packet(sent.when, sent.from, sent.to, protocol_tcp, header, 16, piece);
        sequence += static_cast<std::uint32_t>(piece.size()) + (opens ? 1 : 0);
        first = false;
    } while (!rest.empty());
}

void capture::udp(mta::time_point when, const socket_address& from, const socket_address& to,
                  std::string_view payload) {
    payload = payload.substr(0, 65'507);  // what IPv4 can carry
    std::string header;
    big16(header, from.port);
    big16(header, to.port);
    big16(header, static_cast<std::uint16_t>(8 + payload.size()));
    big16(header, 0);
    packet(when, from, to, protocol_udp, header, 6, payload);
}

void capture::packet(mta::time_point when, const socket_address& from, const socket_address& to, std::uint8_t protocol,
                     std::string_view header, std::size_t checksum_offset, std::string_view payload) {
    const std::size_t size = header.size() + payload.size();
    datagram_.clear();
    std::uint16_t identification = 0;
    if (from.address.is_v4()) identification = next_identification_[from.address.v4_number()]++;
    append_ip_header(datagram_, from.address, to.address, protocol, size, identification);
    const std::size_t start = datagram_.size();
    (datagram_ += header) += payload;
    const std::uint32_t sum = pseudo_header(from.address, to.address, protocol, size);
    std::uint16_t value = checksum(add_up(std::string_view(datagram_).substr(start), sum));
    if (protocol == protocol_udp && value == 0) value = 0xffff;  // RFC 768: 0 is "no checksum"
    put16(datagram_, start + checksum_offset, value);

    const auto stamp = static_cast<std::uint64_t>(when.time_since_epoch().count());
    begin_block(block_, enhanced_packet);
    little32(block_, 0);  // the one interface
    little32(block_, static_cast<std::uint32_t>(stamp >> 32));
    little32(block_, static_cast<std::uint32_t>(stamp & 0xffffffff));
    little32(block_, static_cast<std::uint32_t>(datagram_.size()));
    little32(block_, static_cast<std::uint32_t>(datagram_.size()));
    block_ += datagram_;
    end_block(block_);
    write(block_);
    ++packets_;
}

void capture::tls_key(std::string_view line) {
    if (std::ranges::find(recent_keys_, line) != recent_keys_.end()) return;
    recent_keys_.emplace_back(line);
    if (recent_keys_.size() > recent_keys) recent_keys_.pop_front();
    if (keys_.is_open()) {
        keys_ << line << '\n';
        if (!keys_) refuse(key_log_path_, "write the TLS key log");
    }
    begin_block(block_, decryption_secrets);
    little32(block_, tls_key_log);
    little32(block_, static_cast<std::uint32_t>(line.size() + 1));
    (block_ += line) += '\n';
    end_block(block_);
    write(block_);
}

void capture::close() {
    if (out_.is_open()) {
        out_.close();
        if (!out_) refuse(path_, "write the capture");
    }
    if (keys_.is_open()) {
        keys_.close();
        if (!keys_) refuse(key_log_path_, "write the TLS key log");
    }
}

}  // namespace sim::record
