// sim/record/capture.hpp - the traffic of a lab as a pcapng file that Wireshark and tshark read
// (draft-ietf-opsawg-pcapng).
//
// Packets are raw IP (LINKTYPE_RAW) with right checksums, stamped in virtual nanoseconds. TLS secrets given to
// tls_key() go into the file as Decryption Secrets Blocks, ahead of the packets that need them, and into a key-log file
// beside it. A failure to write throws record_error from the call that met it, and from close() at the latest.
#pragma once
#include <cstdint>
#include <deque>
#include <fstream>
#include <string>
#include <string_view>
#include <unordered_map>

#include "sim/network/observer.hpp"
#include "sim/record/record_error.hpp"

namespace sim::record {

class capture final : public network::observer {
  public:
    // `key_log` may be "": no separate file of TLS secrets then.
    explicit capture(std::string path, std::string key_log = {});
    ~capture() override;
    capture(const capture&) = delete;
    capture& operator=(const capture&) = delete;

    void tcp(const network::segment& sent) override;
    void udp(mta::time_point when, const network::socket_address& from, const network::socket_address& to,
             std::string_view payload) override;
    // One line of the NSS key log format, without its newline, as SSL_CTX_set_keylog_callback(3) gives it. Take it from
    // both ends: the client knows its traffic secret before its Finished leaves, the server only after that, which is
    // too late for a reader that goes through the file once. A line that the other end gave already is left out.
    void tls_key(std::string_view line);

    void close();
    std::uint64_t packets() const { return packets_; }

    static constexpr std::size_t maximum_segment_size = 1460;

  private:
    void packet(mta::time_point when, const network::socket_address& from, const network::socket_address& to,
                std::uint8_t protocol, std::string_view header, std::size_t checksum_offset, std::string_view payload);
    void write(std::string_view block);

    std::string path_, key_log_path_;
    std::ofstream out_, keys_;
    std::string block_, datagram_;  // scratch, kept for its capacity
    std::deque<std::string> recent_keys_;
    std::uint64_t packets_ = 0;
    std::unordered_map<std::uint32_t, std::uint16_t>
        next_identification_;  // of IPv4 senders; looked up, never iterated
};

}  // namespace sim::record
