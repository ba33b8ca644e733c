// mta/stream/byte_stream.hpp - a connection as a mail system sees it: bytes in order, in two directions.
//
// The same interface stands over the simulated network, real sockets and TLS. An operation carries its own deadline, as
// Postfix's timed_read(3) and timed_write(3) do. At most one read and one write wait at a time. Destroying a stream
// closes the connection in good order; destroying a waiting operation forgets it.
#pragma once
#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "mta/async/scheduler.hpp"
#include "mta/async/task.hpp"

namespace mta {

enum class io_error : std::uint8_t {
    none,
    end_of_stream,  // the peer closed in good order
    timed_out,
    refused,
    reset,             // by the peer, or written to after the peer was gone
    host_unreachable,  // "No route to host"
    network_unreachable,
    tls_failed,
};

// What strerror(3) says of it, which is what Postfix logs.
std::string_view describe(io_error error);

struct io_result {
    std::size_t bytes = 0;
    io_error error = io_error::none;
    bool ok() const { return error == io_error::none; }
};

// One read or write that may have to wait.
class io_operation {
  public:
    io_operation(char* data, std::size_t size, time_point deadline) : data(data), size(size), deadline(deadline) {}
    io_operation(const io_operation&) = delete;
    virtual void completed() = 0;  // called by the stream once `result` is set

    char* data;  // a write only reads from it
    std::size_t size;
    time_point deadline;
    io_result result;

  protected:
    virtual ~io_operation() = default;
};

class byte_stream {
  public:
    virtual ~byte_stream() = default;
    // True when `operation` is done already; otherwise completed() follows, never from inside the call. A read is done
    // when at least one byte is there; a write when at least one byte is taken.
    virtual bool start_read(io_operation& operation) = 0;
    virtual bool start_write(io_operation& operation) = 0;
    virtual void cancel(io_operation& operation) = 0;
    // No more bytes from this side; the other direction stays open.
    virtual void shut_down_write() = 0;
    // Drops the connection with a reset.
    virtual void abort() = 0;
    // Names the connection in the record: the same number at both ends, unique in a world.
    virtual std::uint64_t connection() const = 0;
};

namespace detail {

class io_awaiter : public io_operation {
  public:
    io_awaiter(byte_stream& stream, char* data, std::size_t size, time_point deadline)
        : io_operation(data, size, deadline), stream_(stream) {}
    ~io_awaiter() {
        if (waiting_) stream_.cancel(*this);
    }
    bool await_ready() const noexcept { return false; }
    io_result await_resume() const noexcept { return result; }

  protected:
    void completed() override {
        const auto waiting = waiting_;
        waiting_ = nullptr;
        waiting.resume();
    }
    byte_stream& stream_;
    std::coroutine_handle<> waiting_;
};

}  // namespace detail

// co_await read_some(stream, buffer, deadline)
class read_some : public detail::io_awaiter {
  public:
    read_some(byte_stream& stream, std::span<char> into, time_point deadline)
        : io_awaiter(stream, into.data(), into.size(), deadline) {}
    bool await_suspend(std::coroutine_handle<> waiting) {
        waiting_ = waiting;
        if (!stream_.start_read(*this)) return true;
        waiting_ = nullptr;
        return false;
    }
};

class write_some final : public detail::io_awaiter {
  public:
    write_some(byte_stream& stream, std::string_view from, time_point deadline)
        : io_awaiter(stream, const_cast<char*>(from.data()), from.size(), deadline) {}
    bool await_suspend(std::coroutine_handle<> waiting) {
        waiting_ = waiting;
        if (!stream_.start_write(*this)) return true;
        waiting_ = nullptr;
        return false;
    }
};

// All of `bytes`, or the error that stopped it; the deadline is that of each write, `timeout` from its start.
task<io_error> write_all(byte_stream& stream, scheduler& clock, std::string_view bytes, duration timeout);

}  // namespace mta
