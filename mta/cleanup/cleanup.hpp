// mta/cleanup/cleanup.hpp - the way of every message into the queue (cleanup(8)).
//
// Takes an envelope and a content, completes and rewrites headers, expands addresses, applies header and body checks, and
// queues the result - or says why not, with the reply that smtpd gives for it (cleanup_strerror(3)).
#pragma once
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "mta/maillog/event.hpp"
#include "mta/queue/queue_file.hpp"

namespace mta::master {
class mail_system;
}

namespace mta::cleanup {

// What is done to a message on its way in: everything to mail from outside, little to the mail system's own notices
// (CLEANUP_FLAG_MASK_EXTERNAL, CLEANUP_FLAG_MASK_INTERNAL).
enum class source : std::uint8_t { external, internal };

struct incoming {
    queue::queue_file envelope;             // id, arrival, sender, recipients, origin, DSN; the rest is filled in here
    std::string content;                    // LF line ends, Received header of the receiving daemon on top
    cleanup::source source = source::external;
    bool may_be_held = true;
    incoming() = default;
};

enum class status : std::uint8_t { ok, too_big, rejected, too_many_hops, no_recipients, deferred, bad, write_error };

struct result {
    cleanup::status status = status::ok;
    std::string dsn;                        // "5.7.1"
    std::string text;                       // "message content rejected", or what a check gave
    std::string smtp_reply() const;         // "550 5.7.1 message content rejected"
};

class cleaner {
  public:
    explicit cleaner(master::mail_system& mail);
    ~cleaner();
    // Queues the message and tells the queue manager.
    result take(incoming message, const maillog::process& by);

  private:
    struct settings;
    master::mail_system& mail_;
    std::unique_ptr<const settings> settings_;
};

}  // namespace mta::cleanup
