// mta/delivery/status_filter.hpp - one delivery status for another: default_delivery_status_filter and those of the
// agents (dsn_filter(3)).
//
// Never turns a success into a failure or the other way round, and never throws: what a table has wrong becomes a
// warning, and the status stays as it was.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "mta/queue/queue_file.hpp"
#include "mta/table/maps.hpp"

namespace mta::master {
class mail_system;
struct daemon;
}  // namespace mta::master

namespace mta::delivery {

class status_filter {
  public:
    // Of the agent that `service` runs.
    status_filter(master::mail_system& mail, const master::daemon& service);

    // Changes the code and the text of `status`; what is to be warned of comes back.
    std::vector<std::string> apply(queue::delivery_status& status) const;

  private:
    table::maps maps_;
};

}  // namespace mta::delivery
