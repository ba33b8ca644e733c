// mta/cleanup/cleanup.hpp - the way of every message into the queue (cleanup(8)).
//
// Takes an envelope and a content, completes and rewrites headers, expands addresses, applies header and body checks,
// and queues the result - or says why not, with the reply that smtpd gives for it (cleanup_strerror(3)). Milters are
// not simulated.
#pragma once
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "mta/maillog/event.hpp"
#include "mta/queue/queue_file.hpp"

namespace mta::config {
class parameters;
}
namespace mta::master {
class mail_system;
}

namespace mta::cleanup {

struct settings;

// What is done to a message on its way in: everything to mail from outside, little to the mail system's own notices
// (CLEANUP_FLAG_MASK_EXTERNAL, CLEANUP_FLAG_MASK_INTERNAL).
enum class source : std::uint8_t { external, internal };

// receive_override_options: what a service of mail from outside does not want.
struct overrides {
    bool address_mappings = true;  // canonical, virtual, masquerading, automatic BCC
    bool header_body_checks = true;
    overrides() = default;
    explicit overrides(const config::parameters& parameters);
};

// What access tables ask for a message (access(5)); BCC is a recipient like others.
struct table_actions {
    bool hold = false, discard = false;
    std::string filter, redirect;
};

// internal_mail_filter_classes: whether header and body checks look at notices of this class, "bounce" or "notify".
bool filters_notices(const config::parameters& parameters, std::string_view of_class);

struct incoming {
    queue::queue_file envelope;  // id, arrival, sender, recipients, origin, DSN; the rest is filled in here
    std::string content;         // LF line ends, Received header of the receiving daemon on top
    cleanup::source source = source::external;
    // A notice that header and body checks look at all the same (internal_mail_filter_classes).
    bool filtered_notice = false;
    overrides wanted;
    // Of envelope.recipients, those from here on come after the content (sendmail -t).
    std::size_t first_extracted = static_cast<std::size_t>(-1);
    std::string full_name;  // of the sender, for a From header
    // Who hands it over cannot bounce it: cleanup does, where Postfix would (CLEANUP_FLAG_BOUNCE).
    bool bounces = false;
    bool detects_utf8 = false;  // smtputf8_autodetect_classes
    // The daemon broke off: what came so far is all there is, and none of it is queued.
    bool cut_short = false;
    // Actions of smtpd's access tables, known before the content comes and only after it.
    table_actions early, late;
    std::string service = "cleanup";  // cleanup_service_name
    incoming() = default;
};

// One message may suffer from several: the one that counts is the first here.
enum class status : std::uint8_t { ok, deferred, bad, no_recipients, too_many_hops, too_big, rejected, write_error };

struct result {
    cleanup::status status = status::ok;
    std::string text;                      // "5.7.1 no such subjects", what a check gave; or ""
    std::string smtp_reply() const;        // "550 5.7.1 no such subjects", "554 5.4.0 Error: too many hops"
    std::string_view description() const;  // "too many hops"
};

// What smtpd makes of the first lines of a message, from `begin` on: UUCP's From_ lines become headers, and white space
// in front does not continue the Received header before it.
void protect_first_lines(std::string& content, std::size_t begin);

class cleaner {
  public:
    explicit cleaner(master::mail_system& mail);
    ~cleaner();
    // Queues the message and tells the queue manager.
    result take(incoming message);

  private:
    const settings& settings_of(const std::string& service, const maillog::process& by);

    master::mail_system& mail_;
    std::map<std::string, std::unique_ptr<const settings>, std::less<>> settings_;  // by service, when first used
};

}  // namespace mta::cleanup
