#include "mta/stream/smtp_stream.hpp"

#include <algorithm>

namespace mta {

smtp_stream::smtp_stream(std::unique_ptr<byte_stream> lower, scheduler& clock)
    : lower_(std::move(lower)), clock_(clock) {}

void smtp_stream::discard_unread() {
    input_.clear();
    begin_ = 0;
}

void smtp_stream::replace(std::unique_ptr<byte_stream> lower) {
    lower_ = std::move(lower);
    discard_unread();
    output_.clear();
}

task<io_error> smtp_stream::fill(time_point deadline) {
    if (begin_ == input_.size()) {
        input_.clear();
        begin_ = 0;
    } else if (begin_ >= read_size) {
        input_.erase(0, begin_);
        begin_ = 0;
    }
    const std::span<char> whole(buffer_);
    const io_result got = co_await read_some(*lower_, whole, deadline);
    if (got.ok()) input_.append(buffer_.data(), got.bytes);
    co_return got.error;
}

task<smtp_stream::line> smtp_stream::read_line(std::string& text, std::size_t limit, duration timeout) {
    text.clear();
    line result;
    time_point deadline{};
    for (std::size_t searched = 0;;) {
        const std::string_view pending = unread();
        const std::size_t newline = pending.find('\n', searched);
        const std::size_t length = std::min(newline, pending.size());
        if (length > limit || (newline == std::string_view::npos && length == limit && limit > 0)) {
            text.assign(pending.substr(0, limit));
            begin_ += text.size();
            co_return result;
        }
        if (newline != std::string_view::npos) {
            const bool carriage_return = newline > 0 && pending[newline - 1] == '\r';
            text.assign(pending.substr(0, newline - (carriage_return ? 1 : 0)));
            result.end = carriage_return ? line_end::crlf : line_end::lf;
            begin_ += newline + 1;
            co_return result;
        }
        searched = pending.size();
        if (deadline == time_point{}) deadline = timeout == duration::max() ? never : clock_.now() + timeout;
        const io_error error = co_await fill(deadline);
        result.error = error;
        if (result.error != io_error::none) {
            text.assign(unread());
            begin_ = input_.size();
            co_return result;
        }
    }
}

task<io_error> smtp_stream::read_bytes(std::string& text, std::size_t size, duration timeout) {
    while (unread().empty()) {
        const time_point deadline = clock_.now() + timeout;
        const io_error error = co_await fill(deadline);
        if (error != io_error::none) co_return error;
    }
    const std::string_view pending = unread().substr(0, size);
    text += pending;
    begin_ += pending.size();
    co_return io_error::none;
}

task<io_error> smtp_stream::flush(duration timeout) {
    if (output_.empty()) co_return io_error::none;
    std::string bytes;
    bytes.swap(output_);
    const io_error error = co_await write_all(*lower_, clock_, bytes, timeout);
    if (output_.empty()) {
        bytes.clear();
        output_.swap(bytes);  // keeps the capacity
    }
    co_return error;
}

}  // namespace mta
