// mta/anvil/anvil.hpp - how often and how much each client asks of a service (anvil(8)).
//
// Counts connections that are open, and connections, messages, recipients, AUTH commands and TLS sessions within a time
// unit that begins with the first of them. What a client did is forgotten once it has no connection and its unit is
// over; the table is bounded by the connections of one unit.
#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "mta/async/scheduler.hpp"

namespace mta::anvil {

enum class event : std::uint8_t { connection, message, recipient, tls_session, authentication };

class counters {
  public:
    counters(scheduler& clock, duration time_unit) : clock_(clock), time_unit_(time_unit) {}

    struct connected {
        int open = 0;  // now, this one included
        int rate = 0;  // within the time unit
    };
    connected connect(std::string_view service, std::string_view client);
    void disconnect(std::string_view service, std::string_view client);
    // One more of them; how many there were within the time unit.
    int add(event what, std::string_view service, std::string_view client);
    // How many there were, with nothing added.
    int count(event what, std::string_view service, std::string_view client) const;

  private:
    struct record {
        int open = 0;
        int rates[5] = {};
        time_point start{};
    };
    record& current(std::string_view service, std::string_view client);
    void forget_old();

    scheduler& clock_;
    duration time_unit_;
    std::map<std::pair<std::string, std::string>, record> records_;
    time_point next_sweep_{};
};

}  // namespace mta::anvil
