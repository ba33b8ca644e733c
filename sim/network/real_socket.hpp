// sim/network/real_socket.hpp - sockets of Boost.Asio as the live network uses them: on the loopback interface alone.
//
// A loopback_endpoint cannot be made of any other address, and nothing here binds or connects to anything else: the one
// place that keeps the lab off the wire. For real_*.cpp only; it brings Asio with it.
#pragma once
#include <boost/asio/ip/tcp.hpp>
#include <coroutine>
#include <memory>

#include "mta/host.hpp"

namespace sim {
class real_loop;
}

namespace sim::network {

using tcp = boost::asio::ip::tcp;
using boost::system::error_code;

class loopback_endpoint {
  public:
    // Throws std::logic_error for any address outside of 127.0.0.0/8.
    explicit loopback_endpoint(const mta::endpoint& real);
    const tcp::endpoint& native() const { return native_; }

  private:
    tcp::endpoint native_;
};

mta::endpoint endpoint_of(const tcp::endpoint& native);
// What a read, a write or a connect came to. An error that the mail system has no word for is a reset.
mta::io_error io_error_of(const error_code& error);
// Throws std::runtime_error when `error` says that the machine has no descriptors, memory or ports left: no mail system
// can be blamed for that, and none should log it as its peer's fault.
void check_resources(const error_code& error);

// Opens, binds and listens.
error_code listen_at(tcp::acceptor& acceptor, const loopback_endpoint& place);
// Opens, and binds to the address of `source` and any port.
error_code open_at(tcp::socket& socket, const loopback_endpoint& source);
// Without Nagle's delay, and never blocking: what a stream reads from and writes to.
void make_ready(tcp::socket& socket);

// const mta::io_error error = co_await connecting(loop, socket, place, deadline);
// Destroying it while it waits closes the socket.
class connecting final : mta::timer {
  public:
    connecting(real_loop& loop, std::shared_ptr<tcp::socket> socket, const loopback_endpoint& place,
               mta::time_point deadline)
        : loop_(loop), socket_(std::move(socket)), place_(place), deadline_(deadline) {}
    ~connecting();
    bool await_ready() const { return false; }
    void await_suspend(std::coroutine_handle<> waiting);
    mta::io_error await_resume() const;

  private:
    struct answer {
        connecting* to = nullptr;
    };
    void expired() override;
    void answered(const error_code& error);

    real_loop& loop_;
    std::shared_ptr<tcp::socket> socket_;
    loopback_endpoint place_;
    mta::time_point deadline_;
    std::coroutine_handle<> waiting_;
    std::shared_ptr<answer> pending_;
    error_code error_;
};

}  // namespace sim::network
