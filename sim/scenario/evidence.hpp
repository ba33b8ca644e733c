// sim/scenario/evidence.hpp - what expectations are checked against: plain facts of a run, whoever keeps them.
//
// The record (or a lab) implements it. Facts are in the order in which they happened; addresses are without angle
// brackets, "" is the null sender; hosts are named by their full names.
#pragma once
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "mta/async/scheduler.hpp"

namespace sim::scenario {

// A message reached a mailbox, or a scripted server took it.
struct delivery_fact {
    mta::time_point when{};
    std::string to;               // the envelope recipient at the first host of its way
    std::string final_recipient;  // what it had become where it was delivered
    std::string from;
    std::string host;               // where it was delivered
    std::vector<std::string> hops;  // hosts it passed, in order, `host` included
};
// A recipient was given up.
struct bounce_fact {
    mta::time_point when{};
    std::string to;
    std::string original;  // the recipient at the first host, when known; else as `to`
    std::string from;
    std::string host;
    std::string dsn;     // "5.1.1"
    std::string reason;  // the log's text, without its parentheses
};
// A server refused a command.
struct refusal_fact {
    mta::time_point when{};
    std::string client;  // name of the machine, or its address when the lab knows none of that address
    std::string server;
    std::string from;  // "" also when there was no MAIL yet
    std::string to;    // "" when the command was not RCPT
    std::string command;
    std::string reply;  // "554 5.7.1 <...>: Relay access denied"
};
struct queue_counts {
    std::uint32_t incoming = 0, active = 0, deferred = 0, hold = 0;
    std::uint32_t total() const { return incoming + active + deferred + hold; }
};

class evidence {
  public:
    virtual ~evidence() = default;
    virtual std::vector<std::string> hosts() const = 0;  // those with a maillog
    virtual std::vector<delivery_fact> deliveries() const = 0;
    virtual std::vector<bounce_fact> bounces() const = 0;
    virtual std::vector<refusal_fact> refusals() const = 0;
    // Calls for each line of the host's maillog, without its newline, until `visit` says false.
    virtual void maillog(std::string_view host, const std::function<bool(std::string_view line)>& visit) const = 0;
    virtual queue_counts queue(std::string_view host) const = 0;
    // The messages of a mailbox, header and body, without the mbox "From " line.
    virtual std::vector<std::string> mailbox(std::string_view host, std::string_view user) const = 0;
};

}  // namespace sim::scenario
