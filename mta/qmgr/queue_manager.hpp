// mta/qmgr/queue_manager.hpp - the queue life cycle and the hand-out of work to delivery agents (qmgr(8)).
//
// A message comes from cleanup into `incoming`, is made `active` while there is room, and its recipients are resolved
// and grouped by transport and destination. Each transport serves its jobs in order, and the destinations of a job in
// turn, within the window of each and the process limit of the transport. What could not be delivered goes to
// `deferred` and is looked at again by the clock, or back to its sender when it is too old. A message stays in the
// spool until its last recipient is done.
#pragma once
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "mta/async/scheduler.hpp"
#include "mta/async/task.hpp"
#include "mta/delivery/request.hpp"
#include "mta/qmgr/destination.hpp"
#include "mta/qmgr/job.hpp"
#include "mta/queue/queue_file.hpp"

namespace mta::address {
struct resolved;
}
namespace mta::master {
class mail_system;
struct daemon;
}  // namespace mta::master

namespace mta::qmgr {

class queue_manager final : private recipient_reader {
  public:
    explicit queue_manager(master::mail_system& mail);
    ~queue_manager();

    // Takes up what the spool holds.
    void start();
    // Another takes its place; the agents at work finish their requests for nobody.
    void retire();
    // A new message, saved in the spool by cleanup.
    void arrived(queue::message file);
    // postsuper -H: no longer held, and for the next scan of the deferred queue.
    void released(queue::message file);
    // postqueue -f: every deferred message is tried now, dead destinations and deferred transports too.
    void flush();
    // The deferred messages that the predicate names, as flush.
    void flush_some(const std::function<bool(const queue::queue_file&)>& chosen);
    // postsuper's changes to the spool, made known.
    void forget(std::string_view id);

  private:
    struct active_message;
    struct active_queue;
    struct destination;
    struct transport;
    struct wake_up final : ready_entry {
        queue_manager* owner = nullptr;
        void run() override { owner->take_turn(); }
    };
    struct scan final : timer {
        queue_manager* owner = nullptr;
        void expired() override { owner->scan_deferred(); }
    };
    struct incoming_scan final : timer {
        queue_manager* owner = nullptr;
        void expired() override { owner->scan_incoming(); }
    };
    struct settings;

    void poke();
    std::int64_t seconds_now() const;
    const maillog::process& own_process();
    void take_turn();
    void work();
    bool activate_next();
    void activate(queue::message taken, bool flushed);
    static void take_redirect(queue::queue_file& file);
    std::vector<std::size_t> read_recipients(active_message& message);
    void assign_recipients(active_message& message);
    void read_more(job_owner& message) override;
    void warn_of_clog(destination& to);
    struct placed;
    bool discard_double_bounce(active_message& message, const delivery::target& to);
    placed place(active_message& message, std::size_t index);
    void place_with_error(const char* service, const std::string& next_hop, placed& result);
    transport& find_transport(std::string_view name);
    destination& find_destination(transport& by, std::string_view name, std::string_view next_hop);

    bool start_one(transport& by);
    void hand_out(transport& by, destination& to, entry_handle work);
    delivery::request request_for(const transport& by, const destination& to, entry& work);
    task<void> deliver(transport& by, destination& to, entry_handle work, delivery::request request);
    task<bool> run_agent(transport& by, delivery::request& work);
    void take_back(transport& by, destination& to, entry_handle work);
    void finished(transport& by, destination& to, entry& work, const delivery::request& request);
    void declare_dead(transport& by, destination& to);
    void forget_if_idle(transport& by, destination& to);
    void forget_idle_destinations(transport& by);
    void message_done(active_message& message);
    void bounce_failed(active_message& message);
    void defer(active_message& message);
    void remove(active_message& message);
    void skip(queue::message file);
    void schedule_scan();
    void schedule_wakeup();
    void scan_deferred();
    void scan_incoming();

    master::mail_system& mail_;
    std::unique_ptr<const settings> settings_;
    const maillog::process* own_process_ = nullptr;  // once it has had something to say
    time_point started_{};
    std::deque<queue::message> incoming_;
    std::vector<queue::message> young_;                // in the incoming queue, not to be looked at before their time
    std::deque<std::pair<queue::message, bool>> due_;  // deferred, to be tried; true: flushed
    // By next attempt, which is a whole second, then by the order of deferral.
    std::map<time_point, std::deque<queue::message>> deferred_;
    const std::unique_ptr<job_store> jobs_;
    std::map<std::string, std::unique_ptr<transport>, std::less<>> transports_;
    const std::unique_ptr<active_queue> active_;
    std::vector<transport*> in_order_;
    std::set<std::string, std::less<>> deferred_transports_;
    bool take_incoming_ = true;  // alternates between new and deferred mail
    std::int64_t recipients_in_memory_ = 0;
    std::size_t routes_kept_ = 0;  // in recipients of the spool; at most qmgr_message_recipient_limit
    bool working_ = false;
    bool retired_ = false;
    std::size_t pending_probes_ = 0;  // messages of verify(8) that are active
    wake_up wake_up_;
    scan scan_;
    incoming_scan wakeup_;  // by master(8)
};

}  // namespace mta::qmgr
