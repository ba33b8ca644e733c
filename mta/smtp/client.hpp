// mta/smtp/client.hpp - the SMTP client: takes a delivery request from host to host until every recipient is settled
// (smtp(8), smtp_connect.c).
#pragma once
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "mta/delivery/request.hpp"
#include "mta/host.hpp"
#include "mta/smtp/next_hop.hpp"
#include "mta/smtp/settings.hpp"

namespace mta::smtp {

class session;

class client {
  public:
    client(master::mail_system& mail, master::daemon& service);
    ~client();
    task<void> deliver(delivery::report& account);

  private:
    struct attempt;
    // Of one destination: what was used up of its limits, and whether anything comes after it.
    struct progress {
        std::int64_t addresses = 0, sessions = 0;
        bool last_host = false, last_destination = false;
    };
    task<void> try_destination(attempt& now, next_hop to, bool last_destination);
    task<bool> try_host(attempt& now, progress& seen, candidate host, std::uint16_t port, bool plaintext);
    void give_up(attempt& now, const queue::delivery_status& why);

    master::mail_system& mail_;
    master::daemon& service_;
    std::unique_ptr<const settings> settings_;
};

}  // namespace mta::smtp
