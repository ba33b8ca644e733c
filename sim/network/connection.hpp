// sim/network/connection.hpp - one TCP connection: two directions with a window each, and the two ends that hold it.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "sim/network/network.hpp"

namespace sim::network {

class connection : public std::enable_shared_from_this<connection> {
  public:
    enum side : std::uint8_t { client = 0, server = 1 };

    connection(fabric& net, std::uint64_t number, const mta::endpoint& from, const mta::endpoint& to,
               const quality& link);

    // The stream that one side's application holds; each once.
    std::unique_ptr<mta::byte_stream> open(side which);
    std::uint64_t number() const { return number_; }

    void show_handshake();  // to the capture
    // The server's machine answers the client's first packet with a reset.
    void refuse_late();

  private:
    class end;
    enum class kind : std::uint8_t { data, end, reset };  // end: FIN
    struct burst {
        mta::time_point arrives;
        std::string bytes;
        connection::kind kind = kind::data;
    };
    // What one side sends to the other.
    struct direction final : mta::timer {
        connection* owner = nullptr;
        side from = client;
        std::vector<burst> in_flight;
        std::size_t first_in_flight = 0;
        std::size_t bytes_in_flight = 0;
        std::string received;  // by the other side's machine, not read yet
        std::size_t read_begin = 0;
        mta::time_point link_free{};
        int retransmissions = 0;                          // of the first burst in flight
        std::uint32_t sequence = 0;                       // of the next byte
        std::uint32_t acknowledged = 0;                   // of the next byte that the receiver waits for
        bool finished = false;                            // FIN sent
        bool arrived_end = false;                         // FIN read
        mta::io_error write_error = mta::io_error::none;  // what the sending side's socket says
        mta::io_error read_error = mta::io_error::none;   // what the receiving side's says
        mta::io_operation* reader = nullptr;              // waits at the receiving side
        mta::io_operation* writer = nullptr;              // waits at the sending side
        // Resumes whoever waits and can go on, in a turn of its own: never from inside another's call.
        struct wake final : mta::ready_entry {
            direction* on = nullptr;
            bool writes = false;
            void run() override { writes ? on->owner->finish_writer(*on) : on->owner->finish_reader(*on); }
        };
        wake wake_reader, wake_writer;
        void expired() override { owner->arrived(*this); }
        std::size_t unread() const { return received.size() - read_begin; }
        std::size_t window_left() const;
    };

    static side other(side which) { return which == client ? server : client; }
    direction& sent_by(side which) { return directions_[which]; }
    // Nobody holds this side's socket any more.
    bool gone(side which) const { return dead_[which] || (opened_[which] && !ends_[which]); }
    const mta::endpoint& endpoint_of(side which) const { return which == client ? from_ : to_; }
    void send(direction& on, std::string bytes, kind what);
    void send_reset(side from);
    void put_in_flight(direction& on, burst next);
    void arrived(direction& on);
    void arrived_at_nobody(side receiver, kind what);
    void retransmit_later(direction& on);
    void forget_in_flight(direction& on);
    void end_socket(side which, mta::io_error error);
    bool take_read(direction& on, mta::io_operation& into);
    bool take_write(direction& on, mta::io_operation& from);
    void finish_reader(direction& on);
    void finish_writer(direction& on);
    void show(side from, std::uint8_t flags, std::uint32_t sequence, std::string_view payload);
    void closed(side which);

    fabric& net_;
    std::uint64_t number_;
    mta::endpoint from_, to_;
    quality link_;
    direction directions_[2];
    end* ends_[2] = {nullptr, nullptr};
    bool opened_[2] = {false, false};
    bool dead_[2] = {false, false};  // reset or given up, at this side
};

}  // namespace sim::network
