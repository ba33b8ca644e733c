// mta/smtp/connection_cache.hpp - connections that wait for another message (scache(8), CONNECTION_CACHE_README).
//
// A connection is found by its own name, or by that of the destination whose mail it has carried. Who waits too long is
// closed without a word, as scache(8) does it.
#pragma once
#include <list>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "mta/async/scheduler.hpp"
#include "mta/smtp/connection.hpp"

namespace mta::smtp {

class connection_cache {
  public:
    explicit connection_cache(scheduler& clock) : clock_(clock) {}

    // `destination` "": the connection is not the first choice for any.
    void keep(std::unique_ptr<connection> link, const std::string& endpoint, const std::string& destination,
              duration how_long);
    // Null when there is none.
    std::unique_ptr<connection> take_by_endpoint(std::string_view endpoint);
    std::unique_ptr<connection> take_by_destination(std::string_view destination);

  private:
    struct kept final : timer {
        connection_cache* owner = nullptr;
        std::string endpoint;
        std::unique_ptr<connection> link;
        std::list<kept>::iterator place;
        void expired() override { owner->connections_.erase(place); }
    };
    struct binding {
        std::string endpoint;
        time_point until;
    };
    scheduler& clock_;
    std::list<kept> connections_;  // the oldest first
    std::map<std::string, binding, std::less<>> destinations_;
};

}  // namespace mta::smtp
