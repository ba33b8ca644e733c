// sim/scenario/scripted_server.hpp - the SMTP servers of `servers:`, which answer as they are told to.
//
// Each verb gets the reply that the script has for it, or that of a plain server that accepts everything. "close" drops
// the connection, "hang" never answers. What a client sends is bounded; more than that drops it.
#pragma once
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "mta/host.hpp"
#include "sim/scenario/dialogue.hpp"
#include "sim/scenario/steps.hpp"

namespace sim::topology {
struct server;
}

namespace sim::scenario {

// A message that the server took with a 250 to its final dot.
struct received_message {
    mta::time_point when{};
    std::uint64_t connection = 0;
    std::string mail_line;  // the command lines as they came
    std::vector<std::string> rcpt_lines;
    std::string body;            // without dot-stuffing, lines ended by LF
    std::string sender() const;  // between the angle brackets; "" for the null sender
    std::vector<std::string> recipients() const;
};

class scripted_server {
  public:
    // `start_tls` is the server's side; empty: STARTTLS is not offered. `machine` outlives the server.
    scripted_server(mta::Host& machine, const mta::address::ip_address& address, stream_upgrade start_tls);
    scripted_server(const scripted_server&) = delete;
    scripted_server& operator=(const scripted_server&) = delete;
    ~scripted_server();

    // Ends the sessions there are, forgets which replies were used, and listens as the new script says. False when the
    // port is taken.
    bool play(const script& next);
    bool listening() const;

    std::span<const received_message> received() const;
    // The same as an mbox file, as the run folder has it (mbox/received).
    std::string mbox() const;

  private:
    class performance;
    mta::Host& machine_;
    mta::address::ip_address address_;
    stream_upgrade start_tls_;
    std::vector<received_message> received_;
    std::unique_ptr<performance> now_playing_;
};

// The script a server of a topology begins with.
script first_script(const topology::server& of);

}  // namespace sim::scenario
