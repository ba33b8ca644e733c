// A pair of byte streams in memory, and the loop that runs whoever waits on them: small, deterministic, hostile on
// request.
#pragma once
#include <algorithm>
#include <memory>
#include <string>
#include <utility>

#include "mta/async/timer_heap.hpp"
#include "mta/stream/byte_stream.hpp"

namespace mta::tls::test {

class loop final : public scheduler {
  public:
    explicit loop(time_point start) : now_(start) {}
    time_point now() const override { return now_; }
    void post(ready_entry& entry) override { ready_.push(entry); }
    void arm(timer& entry, time_point due) override {
        if (entry.armed()) timers_.remove(entry);
        timers_.insert(entry, due);
    }
    void disarm(timer& entry) override {
        if (entry.armed()) timers_.remove(entry);
    }
    // One turn; false when there is nothing left to do.
    bool turn() {
        if (ready_.run_one()) return true;
        if (timers_.empty()) return false;
        now_ = std::max(now_, timers_.earliest());
        timers_.pop().expired();
        return true;
    }
    void run() {
        while (turn()) {
        }
    }

  private:
    time_point now_;
    ready_queue ready_;
    timer_heap timers_;
};

// What one side sends to the other.
struct channel {
    std::string bytes;
    std::size_t capacity = 65536;               // a write beyond it waits
    std::size_t chunk = 65536;                  // at most so much a read or write
    std::size_t cut_after = std::string::npos;  // the sender's bytes end here, without close_notify or anything
    std::size_t flip_at = std::string::npos;    // this byte of the whole arrives damaged
    std::string transcript;                     // all that was sent
    bool ended = false;
    io_error broken = io_error::none;
};

class end final : public byte_stream {
  public:
    end(scheduler& clock, std::shared_ptr<channel> in, std::shared_ptr<channel> out)
        : clock_(clock), in_(std::move(in)), out_(std::move(out)) {}
    ~end() override {
        shut_down_write();
        if (peer_) peer_->peer_ = nullptr;
    }
    static void join(end& one, end& other) { one.peer_ = &other, other.peer_ = &one; }

    bool start_read(io_operation& operation) override { return reader_.start(operation); }
    bool start_write(io_operation& operation) override { return writer_.start(operation); }
    void cancel(io_operation& operation) override { (&operation == reader_.waiting ? reader_ : writer_).forget(); }
    void shut_down_write() override {
        out_->ended = true;
        wake_peer();
    }
    void abort() override {
        in_->broken = out_->broken = io_error::reset;
        wake_peer();
    }
    std::uint64_t connection() const override { return 1; }

  private:
    // A waiting operation: looked at again when the peer did something, ended by its deadline.
    struct slot final : ready_entry, timer {
        explicit slot(end& owner, bool reads) : owner(owner), reads(reads) {}
        bool start(io_operation& operation) {
            waiting = &operation;
            if (attempt()) {
                waiting = nullptr;
                return true;
            }
            if (operation.deadline != never) owner.clock_.arm(*this, operation.deadline);
            return false;
        }
        void forget() {
            waiting = nullptr;
            if (armed()) owner.clock_.disarm(*this);
        }
        void look() {
            if (waiting && !queued()) owner.clock_.post(*this);
        }
        bool attempt() { return reads ? owner.take(*waiting) : owner.give(*waiting); }
        void run() override {
            if (waiting && attempt()) finish();
        }
        void expired() override {
            waiting->result = {0, io_error::timed_out};
            finish();
        }
        void finish() {
            io_operation& done = *waiting;
            forget();
            done.completed();
        }
        end& owner;
        bool reads;
        io_operation* waiting = nullptr;
    };

    bool take(io_operation& operation) {
        operation.result = {};
        if (in_->broken != io_error::none)
            operation.result.error = in_->broken;
        else if (!in_->bytes.empty()) {
            const auto count = std::min({in_->bytes.size(), operation.size, in_->chunk});
            std::copy_n(in_->bytes.data(), count, operation.data);
            in_->bytes.erase(0, count);
            operation.result.bytes = count;
            wake_peer();
        } else if (in_->ended)
            operation.result.error = io_error::end_of_stream;
        else
            return false;
        return true;
    }
    bool give(io_operation& operation) {
        operation.result = {};
        if (out_->broken != io_error::none || !peer_) {
            operation.result.error = io_error::reset;
            return true;
        }
        const auto room = out_->capacity - std::min(out_->capacity, out_->bytes.size());
        const auto count = std::min({operation.size, room, out_->chunk});
        if (count == 0) return false;
        for (std::size_t i = 0; i < count; ++i) {
            const auto at = out_->transcript.size();
            const char byte = operation.data[i];
            out_->transcript += byte;
            if (at < out_->cut_after) out_->bytes += at == out_->flip_at ? static_cast<char>(byte ^ 1) : byte;
        }
        if (out_->transcript.size() >= out_->cut_after) out_->ended = true;
        operation.result.bytes = count;
        wake_peer();
        return true;
    }
    void wake_peer() {
        if (!peer_) return;
        peer_->reader_.look();
        peer_->writer_.look();
    }

    scheduler& clock_;
    std::shared_ptr<channel> in_, out_;
    end* peer_ = nullptr;
    slot reader_{*this, true};
    slot writer_{*this, false};
};

struct wire {
    explicit wire(scheduler& clock) {
        auto one = std::make_unique<end>(clock, to_client, to_server);
        auto other = std::make_unique<end>(clock, to_server, to_client);
        end::join(*one, *other);
        client = std::move(one);
        server = std::move(other);
    }
    std::shared_ptr<channel> to_server = std::make_shared<channel>();
    std::shared_ptr<channel> to_client = std::make_shared<channel>();
    std::unique_ptr<byte_stream> client, server;
};

}  // namespace mta::tls::test
