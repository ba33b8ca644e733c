// mta/anvil/anvil.hpp - how often and how much each client asks of the services of one mail system (anvil(8)).
//
// Counts connections that are open, and connections, messages, recipients, AUTH commands and TLS sessions within a time
// unit that begins with the first of them. What a client did is forgotten once it has no connection and its unit is
// over; the table is bounded by the connections of one unit. The most of each since it was last asked for is kept for
// the log.
#pragma once
#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "mta/async/scheduler.hpp"

namespace mta::text {
struct time_zone;
}

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

    // "statistics: max connection rate 2/60s for (smtp:192.0.2.1) at Nov 20 14:24:39", and so on for what there was
    // since the last time; it begins anew.
    std::vector<std::string> take_statistics(const text::time_zone& zone);
    bool idle() const { return open_ == 0; }
    time_point idle_since() const { return idle_since_; }

  private:
    using key = std::pair<std::string, std::string>;
    struct record {
        int open = 0;
        int rates[5] = {};
        time_point start{}, left{};
    };
    struct maximum {
        int number = 0;
        std::string who;
        time_point when{};
    };
    record& current(std::string_view service, std::string_view client);
    void forget_old();
    void note(maximum& most, int number, std::string_view service, std::string_view client);

    scheduler& clock_;
    duration time_unit_;
    std::map<key, record> records_;
    std::deque<std::pair<time_point, key>> leaving_;  // when each record is forgotten, unless its client comes back
    std::array<maximum, 5> rates_;
    maximum connections_, cache_;
    int open_ = 0;
    time_point idle_since_{};
};

}  // namespace mta::anvil
