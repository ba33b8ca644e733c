// mta/queue/queue_file.hpp - a message in a mail queue: envelope, attributes and content (cleanup(8), qmgr(8)).
//
// A plain value. The content is shared and never changed once it is queued, so that copying a queue file, splitting its
// recipients among deliveries, or restarting a mail system costs no copy of the message.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "mta/async/scheduler.hpp"

namespace mta::address {
struct resolved;
}

namespace mta::queue {

enum class name : std::uint8_t { maildrop, incoming, active, deferred, hold, corrupt };
std::string_view to_string(name);

// RFC 3461 NOTIFY; 0 is "not given".
enum notify_flags : std::uint8_t { notify_never = 1, notify_success = 2, notify_failure = 4, notify_delay = 8 };
// RFC 3461 RET
enum class return_content : std::uint8_t { not_given, full, headers };

// What became of a recipient, as delivery agents tell it and notices pass it on (dsn(3), RFC 3463, RFC 3464).
struct delivery_status {
    std::string dsn;              // "5.1.1"
    std::string text;             // as logged
    std::string remote_mta;       // the host that said so, or ""
    std::string diagnostic_type;  // "smtp", "x-unix" or "": the agent itself
    std::string diagnostic;       // what it said
    delivery_status() = default;
    delivery_status(std::string code, std::string reason) : dsn(std::move(code)), text(std::move(reason)) {}
    bool operator==(const delivery_status&) const = default;
};

struct recipient {
    std::string address;       // where it goes
    std::string original;      // as the client or the command line gave it, for orig_to= and X-Original-To
    std::string dsn_original;  // ORCPT, "rfc822;name@domain", without its xtext, or ""
    std::uint8_t notify = 0;
    bool done = false;             // delivered or bounced: never tried again
    std::uint32_t put_off_as = 0;  // of the file's deferrals which: notices tell of them in this order
    // Where the queue manager found it to go, until its host is started anew; the next attempt asks no more.
    std::shared_ptr<const address::resolved> route;
    // The last reason for a delay, as postqueue(1) shows it and the next notice tells it; null: never tried.
    std::shared_ptr<const delivery_status> delay;
};

// What is to become known of a message's delivery, other than what its recipients' NOTIFY asks for
// (deliver_request(3): DEL_REQ_FLAG_MTA_VRFY, _USR_VRFY, _RECORD).
enum class tracing : std::uint8_t {
    none,
    verification,  // a probe of verify(8): nothing is delivered, and smtpd is told
    user_probe,    // sendmail -bv: nothing is delivered, and the sender is told
    record         // sendmail -v: the sender is told of the first attempt
};

// A line of the bounce, defer or trace log of a message: what the next notice will say of a recipient.
struct notice_entry {
    std::string address, original, dsn_original;
    std::uint8_t notify = 0;
    std::string action;  // RFC 3464: failed, delayed, delivered, relayed, expanded
    delivery_status status;
};

// Where the message came from; what Received, logs and filters are told of it (XFORWARD's attributes).
struct origin {
    std::string client_name = "localhost", client_address = "127.0.0.1", client_port, shown_port, reverse_client_name,
                helo, protocol;
    std::string sasl_method, sasl_username, sasl_sender, log_identifier;
    bool local = true;  // rewritten in the local address class
};

struct queue_file {
    // First what the queue manager reads at every attempt: of ten thousand waiting messages little goes through the
    // caches then.
    std::string id;
    time_point arrived{};
    time_point next_attempt{};      // of a deferred message; of a new one: when the queue manager may look at it
    time_point warn_after = never;  // when the sender is told of a delay
    std::uint32_t deferrals = 0;    // of its recipients, so far
    name where = name::incoming;
    tracing trace = tracing::none;
    // Agents go as far as they can without delivering anything (DEL_REQ_TRACE_ONLY).
    bool is_probe() const { return trace == tracing::verification || trace == tracing::user_probe; }
    bool forced_expired = false;
    // Delivery agents that hold the file: a queue manager that starts anew must not touch it before they are done.
    std::uint16_t held_by_agents = 0;
    bool reports_clearing =
        false;                    // the sender was told of a delay, and will be told of its end (confirm_delay_cleared)
    std::string sender;           // "" for the null sender
    std::string verp_delimiters;  // two characters, or "": no VERP
    std::size_t size = 0;         // bytes, as qmgr logs and SIZE= announces it
    std::vector<recipient> recipients;
    std::vector<notice_entry> bounces;  // that the sender was not told of yet
    std::vector<notice_entry> traces;   // of successes to report (NOTIFY=SUCCESS, sendmail -v)
    std::string content_filter;         // "transport:next_hop", or ""
    std::string redirect;               // where all of it goes instead of to its recipients (header_checks REDIRECT)

    origin from;
    std::shared_ptr<const std::string> content;  // headers, empty line, body; every line ends in LF
    std::size_t header_size = 0;                 // of `content`, up to the empty line

    std::string encoding;  // "", "7bit" or "8bit": MAIL's BODY
    bool smtputf8 = false;
    return_content returns = return_content::not_given;
    std::string envelope_id;  // ENVID, without its xtext
    int hop_count = 0;        // Received headers
    // Of a requeued message in the maildrop: the uid it comes back with and its old id.
    unsigned uid = 0;
    std::string original_id;
    // Of a message in the maildrop: its sender's name. And where the recipients begin that come after the content:
    // those taken from headers, and automatic copies.
    std::string full_name;
    std::size_t first_extracted = static_cast<std::size_t>(-1);

    bool all_done() const {
        for (const auto& each : recipients) {
            if (!each.done) return false;
        }
        return true;
    }
};

using message = std::shared_ptr<queue_file>;

// The short form of Postfix's ids: microseconds in hex, then the inode (enable_long_queue_ids=no).
std::string short_id(time_point arrived, std::uint64_t inode);
// The long form: seconds and microseconds in base 52, "z", the inode in base 51 (mail_queue.h).
std::string long_id(time_point arrived, std::uint64_t inode);

}  // namespace mta::queue
