// sim/record/trace.hpp - a message's way across hosts, from the record: each stop, what it waited for, where it went
// next.
//
// A story is a tree: a message on one host may go on to several hosts, pass a content filter and come back under
// another queue id, be forwarded, or end in a notice to its sender. Its stops are listed so that each comes after its
// parent, in order of time among siblings. Nothing here writes to the database; a database that cannot be read is a
// record_error.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mta/async/scheduler.hpp"
#include "sim/record/database.hpp"

namespace sim::record {

// delays=a/b/c/d
struct waits {
    mta::duration before_queue_manager{}, in_active_queue{}, connecting{}, transmitting{};
};

// One attempt for one recipient.
struct trace_delivery {
    mta::time_point when{};
    std::string agent;  // smtp, local, pipe, ...
    std::string recipient, original_recipient;
    std::string relay;         // as logged
    std::string next_address;  // "192.168.137.9:25", or ""
    waits waited;
    std::string dsn, status, reply;
    std::string tls_protocol, tls_cipher;  // of the session it was handed over in
    std::string mailbox;                   // "kimchen": where local or virtual delivery put it; "" otherwise
    std::int64_t next_message = 0;         // row of the message it became, or 0
};

// Why a message is where it is.
enum class arrival : std::uint8_t { smtp, submitted, filtered, forwarded, requeued, notice };
std::string_view to_string(arrival how);

// A message at one host.
struct trace_stop {
    std::int64_t message = 0;           // row of messages
    std::optional<std::size_t> parent;  // index of the stop it came from
    arrival how = arrival::smtp;
    std::string link;         // what ties it to its parent: "connection", "queue id", "message-id", ...
    std::string notice_kind;  // "sender non-delivery", ... of a notice
    std::string host, queue_id, message_id, sender;
    std::int64_t size = 0, recipient_count = 0;
    mta::time_point arrived{};
    std::optional<mta::time_point> removed;   // when it left the queue
    std::string client_name, client_address;  // of mail by SMTP
    std::string sasl_username;
    std::string protocol;                  // "ESMTP" or "SMTP" where the record has the client's HELO; "" otherwise
    std::optional<unsigned> uid;           // of submitted mail
    std::string tls_protocol, tls_cipher;  // of the session it came in by
    std::vector<trace_delivery> deliveries;
};

struct message_trace {
    std::vector<trace_stop> stops;
    // The stops from the first to the one at `index`, as indices.
    std::vector<std::size_t> path_to(std::size_t index) const;
};

// A message as a list shows it: the first stop of a story.
struct message_summary {
    std::size_t number = 0;  // from 1, in order of arrival
    std::int64_t message = 0;
    std::string host, queue_id, message_id, sender;
    mta::time_point arrived{};
    std::vector<std::string> recipients;  // as first delivered to
    std::string outcome;                  // "sent", "deferred", "bounced", "queued", or several with commas
};
std::vector<message_summary> messages(const database& record);

// What `wanted` names: a Message-Id (with or without brackets), a queue id on any host, or a number of messages().
struct message_choice {
    std::optional<std::int64_t> message;
    std::vector<std::string> nearest;  // when there is none: names it may have been meant for
};
message_choice choose_message(const database& record, std::string_view wanted);

// The whole story that the message is part of.
message_trace trace(const database& record, std::int64_t message);

}  // namespace sim::record
