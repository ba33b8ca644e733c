#include "sim/network/real_socket.hpp"

#include <fcntl.h>
#include <fmt/format.h>

#include <boost/asio/error.hpp>
#include <stdexcept>
#include <utility>

#include "sim/world/real_loop.hpp"

namespace sim::network {
namespace {

// Connections that the kernel takes before anyone accepts them; no more than net.core.somaxconn.
constexpr int backlog = 4'096;

namespace asio_error = boost::asio::error;

// Commands that pipe(8) may run get no socket of the lab.
template <class Socket>
void keep_from_children(Socket& socket) {
    ::fcntl(socket.native_handle(), F_SETFD, FD_CLOEXEC);
}

}  // namespace

loopback_endpoint::loopback_endpoint(const mta::endpoint& real) {
    if (!real.address.is_v4() || !real.address.is_loopback()) {
        throw std::logic_error(
            fmt::format("a live lab stays on the loopback interface; {} is not there", real.address.to_string()));
    }
    native_ = tcp::endpoint(boost::asio::ip::address_v4(real.address.v4_number()), real.port);
}

mta::endpoint endpoint_of(const tcp::endpoint& native) {
    mta::endpoint result;
    result.address = mta::address::ip_address::v4(native.address().to_v4().to_uint());
    result.port = native.port();
    return result;
}

mta::io_error io_error_of(const error_code& error) {
    if (!error) return mta::io_error::none;
    if (error == asio_error::eof) return mta::io_error::end_of_stream;
    if (error == asio_error::timed_out) return mta::io_error::timed_out;
    if (error == asio_error::connection_refused) return mta::io_error::refused;
    if (error == asio_error::host_unreachable) return mta::io_error::host_unreachable;
    if (error == asio_error::network_unreachable || error == asio_error::network_down)
        return mta::io_error::network_unreachable;
    return mta::io_error::reset;
}

void check_resources(const error_code& error) {
    namespace errc = boost::system::errc;
    for (const auto each : {errc::too_many_files_open, errc::too_many_files_open_in_system, errc::no_buffer_space,
                            errc::not_enough_memory, errc::address_not_available}) {
        if (error == each) {
            throw std::runtime_error(
                fmt::format("no more sockets on this machine: {}; play fewer connections at a time, or "
                            "raise `ulimit -n`",
                            error.message()));
        }
    }
}

error_code listen_at(tcp::acceptor& acceptor, const loopback_endpoint& place) {
    error_code error;
    acceptor.open(tcp::v4(), error);
    if (!error) keep_from_children(acceptor);
    if (!error) acceptor.set_option(tcp::acceptor::reuse_address(true), error);
    if (!error) acceptor.bind(place.native(), error);
    if (!error) acceptor.listen(backlog, error);
    return error;
}

error_code open_at(tcp::socket& socket, const loopback_endpoint& source) {
    error_code error;
    socket.open(tcp::v4(), error);
    if (!error) keep_from_children(socket);
    if (!error) socket.bind(tcp::endpoint(source.native().address(), 0), error);
    return error;
}

void make_ready(tcp::socket& socket) {
    keep_from_children(socket);
    error_code ignored;  // of a socket whose peer has reset it already: reading will say so
    socket.set_option(tcp::no_delay(true), ignored);
    socket.non_blocking(true, ignored);
}

connecting::~connecting() {
    if (!pending_) return;
    pending_->to = nullptr;
    error_code ignored;
    socket_->close(ignored);
}

void connecting::await_suspend(std::coroutine_handle<> waiting) {
    waiting_ = waiting;
    pending_ = std::make_shared<answer>();
    pending_->to = this;
    if (deadline_ != mta::never) loop_.arm(*this, deadline_);
    // The socket is kept until Asio has let go of it.
    socket_->async_connect(place_.native(), [pending = pending_, socket = socket_](const error_code& error) {
        if (pending->to) pending->to->answered(error);
    });
}

void connecting::answered(const error_code& error) {
    loop_.disarm(*this);
    pending_.reset();
    error_ = error;
    waiting_.resume();
}

void connecting::expired() {
    std::exchange(pending_, nullptr)->to = nullptr;
    error_code ignored;
    socket_->close(ignored);
    error_ = asio_error::timed_out;
    waiting_.resume();
}

mta::io_error connecting::await_resume() const {
    check_resources(error_);
    return io_error_of(error_);
}

}  // namespace sim::network
