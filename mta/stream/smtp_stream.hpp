// mta/stream/smtp_stream.hpp - lines over a byte stream, as both ends of SMTP read and write them (smtp_stream(3)).
//
// Reading is buffered and bounded: a line longer than the caller's limit comes in pieces. Writing gathers until flush.
// The stream below can be exchanged in mid-session, which is what STARTTLS does.
#pragma once
#include <array>
#include <memory>
#include <string>
#include <string_view>

#include "mta/stream/byte_stream.hpp"

namespace mta {

class smtp_stream {
  public:
    smtp_stream(std::unique_ptr<byte_stream> lower, scheduler& clock);

    enum class line_end : std::uint8_t { none, lf, crlf };  // none: cut at the limit, or at the end of the stream
    struct line {
        io_error error = io_error::none;
        line_end end = line_end::none;
        bool ok() const { return error == io_error::none; }
    };
    // Reads up to the next LF, at most `limit` bytes, into `text`, without the line end. Waits at most `timeout` in
    // all.
    task<line> read_line(std::string& text, std::size_t limit, duration timeout);
    // Up to `size` bytes of what is there or comes next, appended to `text` (BDAT).
    task<io_error> read_bytes(std::string& text, std::size_t size, duration timeout);
    // Bytes that have come and were not read yet: a client that did not wait for its reply.
    std::string_view unread() const { return std::string_view(input_).substr(begin_); }
    // A whole line is at hand without waiting.
    bool has_line() const { return input_.find('\n', begin_) != std::string::npos; }
    void discard_unread();

    void put(std::string_view text) { output_ += text; }
    std::string& output() { return output_; }
    task<io_error> flush(duration timeout);

    byte_stream& lower() { return *lower_; }
    // Puts a stream made from the one below (TLS) in its place. What was read ahead in clear is gone.
    std::unique_ptr<byte_stream> release() { return std::move(lower_); }
    // False between release() and replace(): a handshake that failed leaves nothing to talk over.
    bool connected() const { return lower_ != nullptr; }
    void replace(std::unique_ptr<byte_stream> lower);

  private:
    task<io_error> fill(time_point deadline);
    std::unique_ptr<byte_stream> lower_;
    scheduler& clock_;
    std::string input_;
    std::size_t begin_ = 0;  // of what was not read yet
    std::string output_;
    // What is read into: a session waits for input nearly all its time, and a frame for each wait would hold as much.
    static constexpr std::size_t read_size = 4096;  // VSTREAM_BUFSIZE: what Postfix asks of a socket at once
    std::array<char, read_size> buffer_;
};

}  // namespace mta
