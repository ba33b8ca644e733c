// tests/support/memory_stream.hpp - two ends of a connection that lies in memory: no delay, no limit, no loss.
#pragma once
#include <algorithm>
#include <cstring>
#include <memory>
#include <string>
#include <utility>

#include "mta/stream/byte_stream.hpp"

namespace tests {

class memory_stream final : public mta::byte_stream {
  public:
    using pair = std::pair<std::unique_ptr<memory_stream>, std::unique_ptr<memory_stream>>;
    static pair connected(mta::scheduler& clock, std::uint64_t number) {
        auto one = std::make_unique<memory_stream>(clock, number),
             other = std::make_unique<memory_stream>(clock, number);
        one->peer_ = other.get();
        other->peer_ = one.get();
        return {std::move(one), std::move(other)};
    }

    memory_stream(mta::scheduler& clock, std::uint64_t number) : clock_(clock), number_(number), waiting_(*this) {}
    memory_stream(const memory_stream&) = delete;
    ~memory_stream() override {
        if (!peer_) return;
        peer_->end(mta::io_error::end_of_stream);
        peer_->peer_ = nullptr;
    }

    bool start_read(mta::io_operation& operation) override {
        if (serve(operation)) return true;
        if (operation.deadline <= clock_.now()) {
            operation.result = {0, mta::io_error::timed_out};
            return true;
        }
        waiting_.operation = &operation;
        if (operation.deadline != mta::never) clock_.arm(waiting_, operation.deadline);
        return false;
    }
    bool start_write(mta::io_operation& operation) override {
        if (!peer_ || shut_) {
            operation.result = {0, mta::io_error::reset};
            return true;
        }
        peer_->input_.append(operation.data, operation.size);
        peer_->wake();
        operation.result = {operation.size, mta::io_error::none};
        return true;
    }
    void cancel(mta::io_operation& operation) override {
        if (waiting_.operation != &operation) return;
        waiting_.operation = nullptr;
        if (waiting_.armed()) clock_.disarm(waiting_);
    }
    void shut_down_write() override {
        shut_ = true;
        if (peer_) peer_->end(mta::io_error::end_of_stream);
    }
    void abort() override {
        if (!peer_) return;
        peer_->input_.clear();
        peer_->begin_ = 0;
        peer_->end(mta::io_error::reset);
        peer_->peer_ = nullptr;
        peer_ = nullptr;
        end(mta::io_error::reset);
    }
    std::uint64_t connection() const override { return number_; }

  private:
    // The read that waits: for its turn once there is something, or for its deadline.
    struct waiting_read final : mta::ready_entry, mta::timer {
        explicit waiting_read(memory_stream& stream) : owner(stream) {}
        void run() override {
            if (operation && owner.serve(*operation)) finish();
        }
        void expired() override {
            if (!operation || queued()) return;
            operation->result = {0, mta::io_error::timed_out};
            finish();
        }
        void finish() {
            if (armed()) owner.clock_.disarm(*this);
            std::exchange(operation, nullptr)->completed();
        }
        memory_stream& owner;
        mta::io_operation* operation = nullptr;
    };

    bool serve(mta::io_operation& operation) {
        if (begin_ < input_.size()) {
            const std::size_t size = std::min(operation.size, input_.size() - begin_);
            std::memcpy(operation.data, input_.data() + begin_, size);
            begin_ += size;
            if (begin_ == input_.size()) {
                input_.clear();
                begin_ = 0;
            }
            operation.result = {size, mta::io_error::none};
            return true;
        }
        operation.result = {0, ended_};
        return ended_ != mta::io_error::none;
    }
    void end(mta::io_error how) {
        if (ended_ == mta::io_error::none) ended_ = how;
        wake();
    }
    void wake() {
        if (waiting_.operation) clock_.post(waiting_);
    }

    mta::scheduler& clock_;
    std::uint64_t number_;
    memory_stream* peer_ = nullptr;
    std::string input_;
    std::size_t begin_ = 0;  // of what was not read yet
    mta::io_error ended_ = mta::io_error::none;
    bool shut_ = false;
    waiting_read waiting_;
};

}  // namespace tests
