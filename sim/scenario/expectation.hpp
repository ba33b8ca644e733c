// sim/scenario/expectation.hpp - what a scenario expects to have happened, at its end or at an `expect` step.
//
// Plain values. Whoever checks them reads the record; nothing here does. A `*_glob` is a pattern of `*` and `?` over
// the whole text. An absent member is not checked; an absent count means "at least one".
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "sim/topology/position.hpp"

namespace sim::scenario {

// A message to this recipient reached its mailbox (or a scripted server that accepted it).
struct delivered {
    std::string to;                   // the envelope recipient, as it was at the first host
    std::optional<std::string> from;  // the envelope sender; "" is the null sender
    std::optional<std::string> host;  // where it was delivered
    std::vector<std::string> hops;    // every host it passed, in order, the last one included; empty: not checked
    std::optional<std::uint32_t> count;
};

// A recipient was returned to its sender (status=bounced).
struct bounced {
    std::string to;
    std::optional<std::string> host;      // who gave up
    std::optional<std::string> dsn_glob;  // "5.7.*"
    std::optional<std::string> reason_glob;
    std::optional<std::uint32_t> count;
};

// A server refused a command with this reply (4xx or 5xx).
struct refused {
    std::optional<std::string> client;  // name of the machine that was refused
    std::optional<std::string> server;  // name of the host that refused
    std::optional<std::string> from;    // envelope
    std::optional<std::string> to;
    std::optional<std::string> reply_glob;  // "554 5.7.1 *"
    std::optional<std::uint32_t> count;
};

// A line of the maillog.
struct log_line {
    std::optional<std::string> host;  // any host's log when absent
    std::string matches;              // regular expression (PCRE2), searched within the line
    std::optional<std::uint32_t> count;
};

// How many messages a host's queue holds.
struct queue_length {
    std::string host;
    std::optional<std::uint32_t> incoming, active, deferred, hold;
    std::optional<std::uint32_t> total;
};

// What a mailbox holds.
struct mailbox {
    std::string host;
    std::string user;
    std::optional<std::uint32_t> count;
    std::vector<std::pair<std::string, std::string>> header_globs;  // name, glob: one message has them all
    std::optional<std::string> contains;                            // text within that message
};

struct expectation {
    topology::position at;
    std::variant<delivered, bounced, refused, log_line, queue_length, mailbox> what;
};

}  // namespace sim::scenario
