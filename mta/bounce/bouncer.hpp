// mta/bounce/bouncer.hpp - tells senders what became of their mail (bounce(8), RFC 3461, RFC 3464).
//
// Works on the notice entries that delivery agents left in a queue file. A notice is a message of its own: it goes through
// cleanup into the queue under the null sender, so that a notice never causes another.
#pragma once
#include <memory>
#include <string>

#include "mta/queue/queue_file.hpp"

namespace mta::master {
class mail_system;
}

namespace mta::bounce {

class bouncer {
  public:
    explicit bouncer(master::mail_system& mail);
    ~bouncer();

    // Non-delivery and success reports for what is in file.bounces and file.traces; both are empty afterwards.
    void send_notices(queue::queue_file& file);
    // The message was too long in the queue: every recipient that is not done is returned.
    void return_expired(queue::queue_file& file);
    // delay_warning_time
    void warn_of_delay(queue::queue_file& file);

  private:
    struct settings;
    struct notice;
    void send(const queue::queue_file& about, const notice& what);
    std::string compose(const queue::queue_file& about, const notice& what, const std::string& id, const std::string& boundary) const;

    master::mail_system& mail_;
    std::unique_ptr<const settings> settings_;
};

}  // namespace mta::bounce
