// sim/scenario/invariant.hpp - conservation of mail: nothing that was accepted vanishes, nothing ends twice.
//
// Each recipient of each queue file ends exactly once: sent, bounced, returned when it expired, discarded by a rule,
// deleted or requeued by the operator, or it still waits in a queue. What a host says it handed to another host of the
// lab must have been accepted there. The collector reads the same events as the maillog.
//
// What is counted: qmgr says how many recipients a queue file has (nrcpt=, after the expansions of cleanup(8)), and
// every one of them needs a last line. local(8) may write more lines than recipients, as aliases expand there; it is
// only held to write enough. A bounce is an end even when no notice follows: the null sender and NOTIFY=NEVER get none.
#pragma once
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "mta/address/ip_address.hpp"
#include "mta/maillog/event.hpp"
#include "mta/queue/queue_file.hpp"

namespace sim::scenario {

struct violation {
    std::string host;
    std::string queue_id;  // "" when it is about no single one
    std::string text;      // "1 of 2 recipients has no end, and the message was removed"
};
std::string to_string(const violation& v);

class conservation {
  public:
    conservation();
    conservation(const conservation&) = delete;
    conservation& operator=(const conservation&) = delete;
    ~conservation();

    // A host of the lab, before its first event; its addresses tell which relay= is it.
    void add_host(std::string_view name, const std::vector<std::string>& addresses);
    void add(std::string_view host, const mta::maillog::entry& entry);
    // A content filter gave a message back to sendmail(1), which is to come back through pickup(8) as uid `uid`.
    void add_handed_back(std::string_view host, unsigned uid);
    // What the host's queues hold at the end, the maildrop included: spool::all().
    void add_queue(std::string_view host, const std::vector<mta::queue::message>& files);

    // To be asked once all is in; by host and queue id.
    std::vector<violation> violations() const;

  private:
    struct state;
    std::unique_ptr<state> state_;
};

}  // namespace sim::scenario
