// mta/bounce/bouncer.hpp - tells senders what became of their mail, and the postmaster where he asked for it
// (bounce(8)).
//
// Works on the notice entries that delivery agents left in a queue file. A notice is a message of its own: to a sender
// it goes under the null sender, to the postmaster under the double-bounce address, so that a notice never causes
// another.
#pragma once
#include <memory>
#include <string>

#include "mta/bounce/report.hpp"
#include "mta/queue/queue_file.hpp"

namespace mta::config {
class fatal;
}
namespace mta::master {
class mail_system;
}

namespace mta::bounce {

class bouncer {
  public:
    explicit bouncer(master::mail_system& mail);
    ~bouncer();

    // Non-delivery and success reports for what is in file.bounces and file.traces; both are empty afterwards. False
    // when the non-delivery report cannot be queued: file.bounces is as before, for another time.
    bool send_notices(queue::queue_file& file);
    // The message was too long in the queue: every recipient that is not done is returned. False as above.
    bool return_expired(queue::queue_file& file);
    // delay_warning_time
    void warn_of_delay(queue::queue_file& file);

  private:
    struct settings;
    bool send_failures(queue::queue_file& file);
    bool discarded_as_double_bounce(const queue::queue_file& about) const;
    bool nobody_to_trace_for(const queue::queue_file& file, bool known) const;
    bool return_failures(const queue::queue_file& about, const std::vector<queue::notice_entry>& entries);
    bool return_each(const queue::queue_file& about, const std::vector<queue::notice_entry>& entries,
                     returned original);
    bool copy_failures(const queue::queue_file& about, const std::vector<queue::notice_entry>& entries);
    report begin(const queue::queue_file& about, template_kind kind, bool to_postmaster) const;
    bool to_sender(report what, std::string_view kind);
    bool to_postmaster(report what, std::string_view recipient, std::string_view kind);
    template <typename Work>
    bool unless_fatal(Work work);
    void complain(const config::fatal& why) const;
    void say_message_id(const std::string& id) const;
    void say_too_large(const std::string& id) const;
    bool send(report what, std::string sender, std::string_view log_kind);

    master::mail_system& mail_;
    std::unique_ptr<settings> settings_;  // templates are read when they are first wanted
};

}  // namespace mta::bounce
