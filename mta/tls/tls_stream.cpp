#include "mta/tls/tls_stream.hpp"

#include <array>
#include <cassert>

#include "mta/text/strings.hpp"
#include "mta/tls/engine.hpp"

namespace mta::tls {
namespace {

// A read or write of the lower stream that tells its owner when it is done. Used again and again, one at a time.
template <class Owner, void (Owner::*Finished)()>
class lower_operation final : public io_operation {
  public:
    explicit lower_operation(Owner& owner) : io_operation(nullptr, 0, never), owner_(owner) {}
    void prepare(char* into, std::size_t count, time_point until) {
        data = into, size = count, deadline = until;
        result = {};
    }
    bool waiting = false;

  private:
    void completed() override {
        waiting = false;
        (owner_.*Finished)();
    }
    Owner& owner_;
};

// The state machine: an operation of ours is carried by as many of the lower stream's as it takes. After an operation
// has been completed nothing of this object may be touched, for whoever waited may destroy it.
class tls_stream final : public byte_stream {
  public:
    tls_stream(std::unique_ptr<byte_stream> lower, std::unique_ptr<engine> with,
               std::function<void(const log_line&)> on_problem)
        : lower_(std::move(lower)), engine_(std::move(with)), on_problem_(std::move(on_problem)) {}

    ~tls_stream() override {
        if (!aborted_) shut_down_write();
        if (lower_read_.waiting) lower_->cancel(lower_read_);
        if (lower_write_.waiting) lower_->cancel(lower_write_);
    }

    bool start_read(io_operation& operation) override {
        assert(!reading_);
        operation.result = {};
        if (operation.size == 0) return true;
        reading_ = &operation;
        return advance_read();
    }
    bool start_write(io_operation& operation) override {
        assert(!writing_);
        operation.result = {};
        if (operation.size == 0) return true;
        writing_ = &operation;
        encrypted_ = 0;
        // What was left over goes on under the new deadline.
        if (lower_write_.waiting) {
            lower_->cancel(lower_write_);
            lower_write_.waiting = false;
        }
        return advance_write();
    }
    void cancel(io_operation& operation) override {
        if (&operation == reading_) {
            reading_ = nullptr;
            if (lower_read_.waiting) lower_->cancel(lower_read_);
            lower_read_.waiting = false;
        } else if (&operation == writing_) {
            writing_ = nullptr;  // its record goes on by itself: half of one would end the session
            encrypted_ = 0;
        }
    }
    void shut_down_write() override {
        if (closing_) return;
        closing_ = true;
        engine_->close();
        if (!lower_write_.waiting) flush();
    }
    void abort() override {
        aborted_ = true;
        lower_->abort();
    }
    std::uint64_t connection() const override { return lower_->connection(); }

  private:
    bool finish(io_operation*& slot, io_result result) {
        std::exchange(slot, nullptr)->result = result;
        return true;
    }

    // True when the waiting read is done.
    bool advance_read() {
        while (true) {
            std::size_t count = 0;
            const auto how = engine_->read({reading_->data, reading_->size}, count);
            report_problems();
            if (engine_->has_output() && !lower_write_.waiting) flush();  // the answer to a key update, or an alert
            switch (how) {
                case engine::outcome::done:
                    return finish(reading_, {count, io_error::none});
                case engine::outcome::closed:
                    return finish(reading_, {0, io_error::end_of_stream});
                case engine::outcome::failed:
                    return finish(reading_, {0, io_error::tls_failed});
                case engine::outcome::want_input:
                    break;
            }
            lower_read_.prepare(wire_.data(), wire_.size(), reading_->deadline);
            lower_read_.waiting = !lower_->start_read(lower_read_);
            if (lower_read_.waiting) return false;
            if (!lower_read_.result.ok()) return finish(reading_, {0, lower_read_.result.error});
            engine_->feed({wire_.data(), lower_read_.result.bytes});
        }
    }
    void read_finished() {
        if (lower_read_.result.ok()) engine_->feed({wire_.data(), lower_read_.result.bytes});
        if (!reading_) return;
        io_operation& operation = *reading_;
        const bool done = lower_read_.result.ok() ? advance_read() : finish(reading_, {0, lower_read_.result.error});
        if (done) operation.completed();
    }

    // True when the waiting write is done.
    bool advance_write() {
        while (true) {
            if (const io_error error = flush(); lower_write_.waiting)
                return false;
            else if (error != io_error::none)
                return finish(writing_, {0, error});
            if (encrypted_ != 0) return finish(writing_, {std::exchange(encrypted_, 0), io_error::none});
            const auto how = engine_->write({writing_->data, writing_->size}, encrypted_);
            report_problems();
            if (how != engine::outcome::done) return finish(writing_, {0, io_error::tls_failed});
        }
    }
    void write_finished() {
        io_error error = lower_write_.result.error;
        if (error == io_error::none) {
            sent_ += lower_write_.result.bytes;
            if (!writing_) {
                flush();
                return;
            }
        } else if (!writing_) {
            return;
        }
        io_operation& operation = *writing_;
        const bool done = error == io_error::none ? advance_write() : finish(writing_, {0, error});
        if (done) operation.completed();
    }

    // Sends what there is to send, as far as the lower stream takes it now; lower_write_ may then wait.
    io_error flush() {
        while (true) {
            if (sent_ == sending_.size()) {
                sent_ = 0;
                sending_ = engine_->take_output();
                if (sending_.empty()) break;
            }
            lower_write_.prepare(sending_.data() + sent_, sending_.size() - sent_,
                                 writing_ ? writing_->deadline : never);
            lower_write_.waiting = !lower_->start_write(lower_write_);
            if (lower_write_.waiting) return io_error::none;
            if (!lower_write_.result.ok()) return lower_write_.result.error;
            sent_ += lower_write_.result.bytes;
        }
        if (closing_ && !std::exchange(shut_down_, true)) lower_->shut_down_write();
        return io_error::none;
    }

    void report_problems() {
        for (const auto& line : engine_->take_problems())
            if (on_problem_) on_problem_(line);
    }

    std::unique_ptr<byte_stream> lower_;
    std::unique_ptr<engine> engine_;
    std::function<void(const log_line&)> on_problem_;

    io_operation* reading_ = nullptr;
    io_operation* writing_ = nullptr;
    lower_operation<tls_stream, &tls_stream::read_finished> lower_read_{*this};
    lower_operation<tls_stream, &tls_stream::write_finished> lower_write_{*this};
    std::array<char, 2048> wire_;
    std::string sending_;  // ciphertext, from sent_ on still to go
    std::size_t sent_ = 0;
    std::size_t encrypted_ = 0;  // of the waiting write, bytes in sending_
    bool closing_ = false, shut_down_ = false, aborted_ = false;
};

task<io_error> send_output(byte_stream& lower, engine& with, time_point deadline) {
    const std::string wire = with.take_output();
    std::string_view left = wire;
    while (!left.empty()) {
        const io_result written = co_await write_some(lower, left, deadline);
        if (!written.ok()) co_return written.error;
        left.remove_prefix(written.bytes);
    }
    co_return io_error::none;
}

task<io_error> shake_hands(byte_stream& lower, engine& with, time_point deadline) {
    std::array<char, 2048> wire;
    while (true) {
        const auto how = with.handshake();
        const io_error sent = co_await send_output(lower, with, deadline);
        if (how == engine::outcome::failed) co_return io_error::tls_failed;
        if (sent != io_error::none) co_return sent;
        if (how == engine::outcome::done) co_return io_error::none;
        const io_result received = co_await read_some(lower, wire, deadline);
        if (!received.ok()) co_return received.error;
        with.feed({wire.data(), received.bytes});
    }
}

// "SSL_accept error from PEER: lost connection", then what the library says.
void append_failure(std::string_view what, const std::string& peer, io_error error, engine& with,
                    std::vector<log_line>& log) {
    auto problems = with.take_problems();
    std::string text(what);
    text.append(peer).append(": ");
    // A peer that says goodbye in the middle leaves OpenSSL with nothing to complain of.
    if (error == io_error::end_of_stream || (error == io_error::tls_failed && problems.empty()))
        text += "lost connection";
    else
        text += error == io_error::tls_failed ? "-1" : describe(error);
    log.push_back({false, std::move(text)});
    for (auto& line : problems) log.push_back(std::move(line));
}

// Why this context lets no session start; true when it does not.
bool refuse(const context& with, const std::string& peer, handshake_result& result) {
    if (with.session_problems().empty()) return false;
    for (const auto& line : with.session_problems())
        result.log.push_back({line.warning, text::replaced(line.text, "%s", peer)});
    result.error = io_error::tls_failed;
    return true;
}

void conclude(std::unique_ptr<byte_stream> lower, std::unique_ptr<engine> with, handshake_options& options,
              handshake_result& result) {
    result.session = with->summary();
    for (auto& line : with->take_problems()) result.log.push_back(std::move(line));
    with->append_verdict(result.log);
    result.stream = std::make_unique<tls_stream>(std::move(lower), std::move(with), std::move(options.on_problem));
}

// Either side of it; `what_failed` names the library's call and the direction.
template <class Options>
task<handshake_result> negotiate(std::unique_ptr<byte_stream> lower, std::shared_ptr<const context> with,
                                 Options options, std::string_view what_failed) {
    handshake_result result;
    if (refuse(*with, options.peer, result)) co_return result;
    auto session = std::make_unique<engine>(with, options);
    const io_error error = co_await shake_hands(*lower, *session, options.deadline);
    result.error = error;
    if (result.error == io_error::none)
        conclude(std::move(lower), std::move(session), options, result);
    else
        append_failure(what_failed, options.peer, result.error, *session, result.log);
    co_return result;
}

}  // namespace

task<handshake_result> accept(std::unique_ptr<byte_stream> lower, std::shared_ptr<const context> with,
                              accept_options options) {
    return negotiate(std::move(lower), std::move(with), std::move(options), "SSL_accept error from ");
}

task<handshake_result> connect(std::unique_ptr<byte_stream> lower, std::shared_ptr<const context> with,
                               connect_options options) {
    return negotiate(std::move(lower), std::move(with), std::move(options), "SSL_connect error to ");
}

}  // namespace mta::tls
