#include "sim/scenario/channel.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace sim::scenario {

channel::channel(std::unique_ptr<mta::byte_stream> stream, mta::scheduler& clock)
    : stream_(std::move(stream)), clock_(clock), connection_(stream_->connection()) {}

bool channel::has_line(std::string_view end) {
    const std::size_t found = input_.find(end, scanned_);
    if (found != input_.npos) {
        scanned_ = found;
        return true;
    }
    // The first half of `end` may be there already.
    const std::size_t most = input_.size() >= end.size() ? input_.size() - end.size() + 1 : 0;
    scanned_ = std::max(begin_, most);
    return false;
}

bool channel::take_line(std::string& line, std::string_view end) {
    if (!has_line(end)) return false;
    line.assign(input_, begin_, scanned_ - begin_);
    begin_ = scanned_ += end.size();
    if (begin_ == input_.size()) discard_input();
    return true;
}

void channel::discard_input() {
    input_.clear();
    begin_ = scanned_ = 0;
}

mta::task<mta::io_error> channel::fill(mta::time_point deadline) {
    if (ended_ != mta::io_error::none) co_return ended_;
    if (begin_ > 0) {
        input_.erase(0, begin_);
        scanned_ -= begin_;
        begin_ = 0;
    }
    std::array<char, 16384> buffer;
    const mta::io_result got = co_await mta::read_some(*stream_, buffer, deadline);
    if (!got.ok()) {
        if (got.error != mta::io_error::timed_out) ended_ = got.error;
        co_return got.error;
    }
    input_.append(buffer.data(), got.bytes);
    co_return mta::io_error::none;
}

mta::task<mta::io_error> channel::send(std::string bytes, mta::duration timeout) {
    if (!stream_) co_return mta::io_error::reset;
    co_return co_await mta::write_all(*stream_, clock_, bytes, timeout);
}

mta::task<bool> channel::start_tls(const stream_upgrade& upgrade) {
    if (upgrade) {
        auto encrypted = co_await upgrade(std::move(stream_));
        stream_ = std::move(encrypted);
        if (stream_) co_return true;
    }
    stream_.reset();
    ended_ = mta::io_error::tls_failed;
    co_return false;
}

}  // namespace sim::scenario
