// mta/delivery/request.hpp - what the queue manager asks of a delivery agent, and how the agent reports
// (deliver_request(3), sent(3), bounce(3), defer(3)).
#pragma once
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "mta/maillog/event.hpp"
#include "mta/queue/queue_file.hpp"
#include "mta/verify/cache.hpp"

namespace mta::master {
class mail_system;
struct daemon;
}  // namespace mta::master

namespace mta::delivery {

class status_filter;

// An agent ends in the middle of a request with this as its last words: the request has no answer.
class agent_died : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

// A recipient of a request: its place in the queue file, and the address as resolved.
struct target {
    std::size_t index = 0;
    std::string address;
};

struct request {
    queue::message file;
    std::span<const target> targets;  // the queue manager's, which keeps them until the agent has answered
    std::string transport, next_hop;
    time_point became_active{};
    time_point handed_out{};  // to the agent
    bool flushed = false;     // the user asked for a delivery attempt now
    // The destination is busy: a connection that waits may be used, and one may be kept for the next request.
    bool use_cached_connection = false, keep_connection = false;
    // An SMTP session got as far as the message: whatever fails then does not make the destination a dead one.
    bool reached_destination = false;
    // Set by the agent when it was the destination that failed, not the recipient: the queue manager slows down.
    std::optional<queue::delivery_status> site_failure;

    std::string verp_sender;  // in the place of the message's, which names the one recipient; or ""

    queue::recipient& recipient(const target& of) const { return file->recipients[of.index]; }
    const std::string& sender() const { return verp_sender.empty() ? file->sender : verp_sender; }
};

// What became of an address that an expansion gave: it is settled, or all of its recipient is tried again.
enum class part_result : std::uint8_t { done, deferred };

// One agent's account of one request.
class report {
  public:
    report(master::mail_system& mail, const maillog::process& agent, request& about);
    // Of the agent: every status goes through it. It must outlive the report.
    void set_filter(const status_filter& filter) { filter_ = &filter; }

    // Delays are told up to here, in this order; what is not set counts as no time.
    void mark_connected(time_point when) { connected_ = when; }
    void mark_started(time_point when) { started_ = when; }
    void set_connection(std::uint64_t number, std::uint32_t uses) { connection_ = number, connection_uses_ = uses; }

    // The recipient is done. `action`: delivered, relayed or expanded, for a success notice where one was asked for; ""
    // when the next server took over to tell.
    void sent(const target& to, std::string_view relay, const queue::delivery_status& status,
              std::string_view action = "delivered");
    // The recipient is done, and the sender will be told. With soft_bounce it is deferred instead.
    void bounced(const target& to, std::string_view relay, queue::delivery_status status);
    // To be tried again.
    void deferred(const target& to, std::string_view relay, queue::delivery_status status);
    // By the first digit of the status: 2 was sent, 4 defers, all else bounces.
    void settle(const target& to, std::string_view relay, const queue::delivery_status& status);
    // The same for what a recipient was expanded to: `who` is that address with the recipient's wishes, `index` the
    // recipient, which stays open until close().
    part_result settle_part(const queue::recipient& who, std::size_t index, std::string_view relay,
                            queue::delivery_status status, std::string_view action = "delivered");
    // As settle_part for what has failed, but `sender` is told, and at once (bounce_one).
    part_result bounce_one(const queue::recipient& who, std::size_t index, std::string_view relay,
                           queue::delivery_status status, const std::string& sender);
    // A success notice without a line in the log: an alias was expanded.
    void trace_part(const queue::recipient& who, std::string_view relay, std::string_view action,
                    const queue::delivery_status& status);
    // The recipient is done, whatever was logged of its parts; or it is not, and all of it will be tried again.
    void close(const target& to, bool done) { request_.recipient(to).done = done || request_.file->is_probe(); }
    // A line of the maillog for this message.
    void remark(std::string_view text, maillog::level severity = maillog::level::info);

    request& about() { return request_; }
    // What agents do with a probe: as much as they can find out without delivering.
    bool is_probe() const { return request_.file->is_probe(); }
    bool is_verification() const { return request_.file->trace == queue::tracing::verification; }
    const maillog::process& agent() const { return agent_; }

  private:
    // An address, and the recipient that it belongs to.
    struct named {
        std::string_view address;
        const queue::recipient& who;
    };
    void filter(queue::delivery_status& status) const;
    void fail(const target& to, std::string_view relay, queue::delivery_status status);
    void keep_delay(queue::recipient& who, const queue::delivery_status& status);
    void put_off(const target& to, std::string_view relay, const queue::delivery_status& status);
    void log(const named& to, std::string_view relay, const queue::delivery_status& status, std::string_view outcome);
    void trace(const named& to, std::string_view relay, std::string_view action, const queue::delivery_status& status);
    void keep_trace(const named& to, std::string_view relay, std::string_view action,
                    const queue::delivery_status& status);
    // keep_trace if all of the message's first attempt is to be told (sendmail -v).
    void record(const named& to, std::string_view relay, std::string_view action, const queue::delivery_status& status);
    // As record for what has ended well, or if the sender was warned of its delay.
    void record_end(const named& to, std::string_view relay, std::string_view action,
                    const queue::delivery_status& status);
    // True when it was a probe's, and was told to who asked.
    bool end_probe(const named& to, std::string_view relay, const queue::delivery_status& status,
                   verify::verdict found);
    named named_by(const target& to) const { return {to.address, request_.recipient(to)}; }
    master::mail_system& mail_;
    const maillog::process& agent_;
    request& request_;
    time_point started_, connected_;
    std::uint64_t connection_ = 0;
    std::uint32_t connection_uses_ = 0;
    const status_filter* filter_ = nullptr;
    bool soft_bounce_;
};

}  // namespace mta::delivery
