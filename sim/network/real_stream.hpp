// sim/network/real_stream.hpp - a connection of the live world: mta::byte_stream over a TCP socket.
//
// Reads and writes are tried at once and otherwise wait until the socket is ready, so that a forgotten operation leaves
// nothing behind in the kernel. Where a cable on the way is unplugged nothing is tried: it waits, as TCP would.
#pragma once
#include "mta/stream/byte_stream.hpp"
#include "sim/network/real_socket.hpp"

namespace sim::network {

class real_network;

// Who speaks with whom, in the topology's addresses.
struct real_path {
    std::uint64_t number = 0;
    mta::endpoint local, remote;
};

class real_stream final : public mta::byte_stream {
  public:
    real_stream(real_network& net, tcp::socket socket, const real_path& path);
    ~real_stream() override;

    bool start_read(mta::io_operation& operation) override { return start(reading_, operation); }
    bool start_write(mta::io_operation& operation) override { return start(writing_, operation); }
    void cancel(mta::io_operation& operation) override;
    void shut_down_write() override;
    void abort() override;
    std::uint64_t connection() const override { return path_.number; }

    // A cable was plugged in: whoever waits tries again, in a turn of its own.
    void look_again();

  private:
    // What Asio's handlers hold on to; they outlive the stream.
    struct held {
        tcp::socket socket;
        real_stream* stream;
    };
    struct direction final : mta::timer, mta::ready_entry {
        real_stream* owner = nullptr;
        bool writes = false;
        bool asked = false;  // Asio tells when the socket is ready
        mta::io_operation* waiting = nullptr;
        void run() override { owner->proceed(*this); }
        void expired() override { owner->look_at_deadline(*this); }
    };

    bool start(direction& on, mta::io_operation& operation);
    bool attempt(direction& on, mta::io_operation& operation);
    void ask(direction& on);
    void proceed(direction& on);
    void watch(direction& on, mta::time_point deadline);
    void look_at_deadline(direction& on);
    bool cut() const;

    real_network& net_;
    real_path path_;
    std::shared_ptr<held> held_;
    direction reading_, writing_;
    bool finished_ = false;  // nothing more is written
    mta::io_error broken_ = mta::io_error::none;
};

}  // namespace sim::network
