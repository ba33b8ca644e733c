// sim/scenario/channel.hpp - a connection as a script uses it: bytes gathered until a line is whole (RFC 5321, 2.3.8).
//
// Unlike mta/stream/smtp_stream.hpp it keeps what was read ahead when TLS begins, as a careless program does, and tells
// CRLF from LF only where its owner does. What is gathered is bounded: a longer line is `overflow`.
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "mta/stream/byte_stream.hpp"
#include "sim/scenario/dialogue.hpp"

namespace sim::scenario {

class channel {
  public:
    static constexpr std::size_t longest_line = std::size_t{1} << 20;

    channel(std::unique_ptr<mta::byte_stream> stream, mta::scheduler& clock);

    // Moves the next line, without `end`, into `line`; false when none is whole yet.
    bool take_line(std::string& line, std::string_view end);
    bool has_line(std::string_view end);
    bool overflow() const { return input_.size() - begin_ > longest_line; }
    void discard_input();
    // Waits for more bytes. An error is final, but for timed_out.
    mta::task<mta::io_error> fill(mta::time_point deadline);
    mta::task<mta::io_error> send(std::string bytes, mta::duration timeout);
    // False when the handshake failed, or there is none to be had; the connection is gone then.
    mta::task<bool> start_tls(const stream_upgrade& upgrade);
    std::uint64_t connection() const { return connection_; }

  private:
    std::unique_ptr<mta::byte_stream> stream_;
    mta::scheduler& clock_;
    std::string input_;
    std::size_t begin_ = 0;    // of what was not taken yet
    std::size_t scanned_ = 0;  // no line ends before this
    std::uint64_t connection_;
    mta::io_error ended_ = mta::io_error::none;
};

}  // namespace sim::scenario
