#include "sim/network/real_stream.hpp"

#include <array>
#include <boost/asio/buffer.hpp>
#include <utility>

#include "sim/network/real_network.hpp"

namespace sim::network {
namespace {

// What is thrown away at most of bytes that nobody read, so that a close is a FIN and not a reset.
constexpr std::size_t most_unread = std::size_t{1} << 20;

}  // namespace

real_stream::real_stream(real_network& net, tcp::socket socket, const real_path& path)
    : net_(net), path_(path), held_(std::make_shared<held>(held{std::move(socket), this})) {
    reading_.owner = writing_.owner = this;
    writing_.writes = true;
    make_ready(held_->socket);
    net_.streams_.insert(this);
}

real_stream::~real_stream() {
    net_.streams_.erase(this);
    held_->stream = nullptr;
    error_code error;
    std::array<char, 16'384> unread;
    for (std::size_t read = 0; !error && read < most_unread && broken_ == mta::io_error::none;) {
        read += held_->socket.read_some(boost::asio::buffer(unread), error);
    }
    held_->socket.close(error);
}

bool real_stream::cut() const {
    return !net_.reaches(path_.local.address, path_.remote.address);
}

bool real_stream::start(direction& on, mta::io_operation& operation) {
    if (attempt(on, operation)) return true;
    on.waiting = &operation;
    watch(on, operation.deadline);
    ask(on);
    return false;
}

// True when the operation is done.
bool real_stream::attempt(direction& on, mta::io_operation& operation) {
    operation.result = {};
    if (operation.size == 0) return true;
    if (broken_ != mta::io_error::none || (on.writes && finished_)) {
        operation.result.error = broken_ != mta::io_error::none ? broken_ : mta::io_error::reset;
        return true;
    }
    if (cut()) return false;
    error_code error;
    tcp::socket& socket = held_->socket;
    operation.result.bytes = on.writes ? socket.write_some(boost::asio::buffer(operation.data, operation.size), error)
                                       : socket.read_some(boost::asio::buffer(operation.data, operation.size), error);
    if (error == boost::asio::error::would_block || error == boost::asio::error::try_again) return false;
    operation.result.error = io_error_of(error);
    if (error && operation.result.error != mta::io_error::end_of_stream) broken_ = operation.result.error;
    return true;
}

void real_stream::ask(direction& on) {
    if (on.asked || cut()) return;
    on.asked = true;
    const auto readiness = on.writes ? tcp::socket::wait_write : tcp::socket::wait_read;
    held_->socket.async_wait(readiness, [held = held_, writes = on.writes](const error_code&) {
        if (!held->stream) return;
        direction& ready = writes ? held->stream->writing_ : held->stream->reading_;
        ready.asked = false;
        held->stream->proceed(ready);
    });
}

void real_stream::proceed(direction& on) {
    if (!on.waiting) return;
    if (attempt(on, *on.waiting)) {
        std::exchange(on.waiting, nullptr)->completed();
    } else {
        ask(on);
    }
}

// Deadlines are watched lazily: a timer that is armed early enough stays where it is, and looks again when it fires.
void real_stream::watch(direction& on, mta::time_point deadline) {
    if (deadline == mta::never || (on.armed() && on.due() <= deadline)) return;
    net_.loop().arm(on, deadline);
}

void real_stream::look_at_deadline(direction& on) {
    if (!on.waiting) return;
    if (on.waiting->deadline > net_.loop().now()) return watch(on, on.waiting->deadline);
    mta::io_operation& late = *std::exchange(on.waiting, nullptr);
    late.result = {0, mta::io_error::timed_out};
    late.completed();
}

void real_stream::cancel(mta::io_operation& operation) {
    for (direction* each : {&reading_, &writing_}) {
        if (each->waiting == &operation) each->waiting = nullptr;
    }
}

void real_stream::shut_down_write() {
    if (std::exchange(finished_, true)) return;
    error_code ignored;  // a peer that is gone already
    held_->socket.shutdown(tcp::socket::shutdown_send, ignored);
}

void real_stream::abort() {
    if (broken_ == mta::io_error::none) broken_ = mta::io_error::reset;
    error_code ignored;
    held_->socket.set_option(tcp::socket::linger(true, 0), ignored);
    held_->socket.close(ignored);
    look_again();
}

void real_stream::look_again() {
    for (direction* each : {&reading_, &writing_}) {
        if (each->waiting) net_.loop().post(*each);
    }
}

}  // namespace sim::network
