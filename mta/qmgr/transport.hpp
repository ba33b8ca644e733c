// mta/qmgr/transport.hpp - what the queue manager knows while it works: messages, transports, destinations, deliveries.
//
// Private to the queue manager; these are its own types, apart because they are data.
#pragma once
#include <algorithm>
#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "mta/config/parameters.hpp"
#include "mta/master/daemon.hpp"
#include "mta/qmgr/fetch.hpp"
#include "mta/qmgr/job.hpp"
#include "mta/qmgr/queue_manager.hpp"

namespace mta::qmgr {

struct queue_manager::settings {
    duration queue_run_delay, minimal_backoff, maximal_backoff, queue_lifetime, bounce_lifetime, throttle_time,
        retry_time;
    std::size_t active_limit, recipients_in_memory, pending_probe_limit;
    std::int64_t minimum_recipients;
    duration clog_warn_time;
    bool helpful_warnings, confirms_clearing;
    std::string double_bounce_sender;
    std::string recipient_delimiter, filter_next_hop, myhostname;
    bool adjusts_recipient_limit, adjusts_bounce_lifetime;

    explicit settings(const config::parameters& p)
        : queue_run_delay(p.duration("queue_run_delay")),
          minimal_backoff(p.duration("minimal_backoff_time")),
          maximal_backoff(p.duration("maximal_backoff_time")),
          queue_lifetime(p.duration("maximal_queue_lifetime")),
          bounce_lifetime(std::min(p.duration("bounce_queue_lifetime"), queue_lifetime)),
          throttle_time(p.duration("service_throttle_time")),
          retry_time(p.duration("transport_retry_time")),
          active_limit(static_cast<std::size_t>(p.number("qmgr_message_active_limit"))),
          recipients_in_memory(
              std::max(static_cast<std::size_t>(p.number("qmgr_message_recipient_limit")), active_limit)),
          pending_probe_limit(static_cast<std::size_t>(p.number("address_verify_pending_request_limit"))),
          minimum_recipients(p.number("qmgr_message_recipient_minimum")),
          clog_warn_time(p.duration("qmgr_clog_warn_time")),
          helpful_warnings(p.flag("helpful_warnings")),
          confirms_clearing(p.flag("confirm_delay_cleared")),
          double_bounce_sender(p.text("double_bounce_sender")),
          recipient_delimiter(p.text("recipient_delimiter")),
          filter_next_hop(p.text("default_filter_nexthop")),
          myhostname(p.text("myhostname")),
          adjusts_recipient_limit(p.number("qmgr_message_recipient_limit") < p.number("qmgr_message_active_limit")),
          adjusts_bounce_lifetime(p.duration("bounce_queue_lifetime") > queue_lifetime) {}
};

struct queue_manager::active_message : job_owner {
    queue::message file;
    time_point since{};
    bool flushed = false;
    std::size_t next_on_file = 0;  // the first recipient that was not read yet
    chain_link<active_message> in_queue;

    using job_owner::job_owner;
    // Those behind this one in the active queue: most often they are served in its order.
    [[gnu::always_inline]] void fetch_the_next() const {
        const active_message* const first = in_queue.next;
        const active_message* const second = first ? first->in_queue.next : nullptr;
        const active_message* const third = second ? second->in_queue.next : nullptr;
        if (!third) return;
        fetch_addresses(*first->file);
        fetch_recipients(*second->file);
        fetch_file(*third->file);
    }
};

struct queue_manager::active_queue {
    pool<active_message> room;
    chain<active_message, &active_message::in_queue> messages;
    std::size_t size = 0;

    active_queue() = default;
    active_queue(const active_queue&) = delete;
    active_queue& operator=(const active_queue&) = delete;
    ~active_queue() {
        while (active_message* each = messages.first()) remove(*each);
    }
    active_message& add(std::int64_t minimum_recipients) {
        active_message& added = room.make(minimum_recipients);
        messages.push_back(added);
        ++size;
        return added;
    }
    void remove(active_message& gone) {
        messages.remove(gone);
        --size;
        room.destroy(gone);
    }
};

// Where a recipient goes, or nowhere when it was dealt with on the spot.
struct queue_manager::placed {
    transport* by = nullptr;
    destination* to = nullptr;
    delivery::target target;
};

struct queue_manager::destination final : site {
    struct revive final : timer {
        destination* owner = nullptr;
        void expired() override { owner->revived(); }
    };
    struct unpause final : timer {
        destination* owner = nullptr;
        void expired() override { owner->resumed(); }
    };
    std::string name, next_hop;
    transport& by;
    queue_manager& manager;
    concurrency flow;
    // Connections are kept once deliveries come one after the other, and used until the destination is idle.
    bool uses_cached = false, keeps = false;
    std::optional<std::chrono::sys_seconds> last_done;
    revive revival;
    unpause pause;  // *_destination_rate_delay
    time_point next_clog_warning{};
    bool counted = false;  // among those of the transport that could take a delivery now

    destination(std::string queue_name, std::string hop, transport& of, queue_manager& owner);
    bool pausing() const { return pause.armed(); }
    bool open() const override { return flow.window() > busy && !pausing(); }
    bool dead() const override { return flow.dead(); }
    // After each change of what waits, of what is under way and of the window.
    void recount();
    void resumed();
    void choose_caching(time_point now);
    // What the retry service says of mail for a dead destination.
    std::string suspended() const {
        return flow.reason().dsn + " delivery temporarily suspended: " + flow.reason().text;
    }
    void pause_for(duration how_long, scheduler& clock) {
        if (how_long.count() > 0) clock.arm(pause, clock.now() + how_long);
    }
    void revived() {
        if (flow.dead()) flow.revive(busy);
        recount();
        manager.forget_if_idle(by, *this);
    }
};

struct queue_manager::transport {
    struct wait_for_master final : timer {
        queue_manager* manager = nullptr;
        void expired() override { manager->poke(); }
    };
    std::string name;
    master::daemon* daemon;     // null: master.cf has none
    wait_for_master restart;    // while the agent's start is throttled
    time_point missed_until{};  // without a daemon: it is not asked for again before (transport_retry_time)
    concurrency_settings flow;
    std::size_t recipient_limit = 50;
    duration rate_delay{}, pace{};
    wait_for_master next_start;  // *_transport_rate_delay
    bool is_error;               // error and retry: one queue for each text
    bool is_immediate = false;   // its agent waits for nothing
    std::map<std::string, std::unique_ptr<destination>, std::less<>> destinations;
    job_list jobs;
    std::size_t open_destinations = 0;    // that something waits for
    std::vector<std::string> complaints;  // of its parameters

    transport(std::string transport_name, master::daemon* service, const config::parameters& p, job_store& store)
        : name(std::move(transport_name)),
          daemon(service),
          is_error(name == "error" || name == "retry"),
          jobs(scheduling(name, p), store) {
        flow.initial = static_cast<int>(p.transport_number(name, "_initial_destination_concurrency"));
        flow.limit = static_cast<int>(p.transport_number(name, "_destination_concurrency_limit"));
        flow.failed_cohorts =
            static_cast<double>(p.transport_number(name, "_destination_concurrency_failed_cohort_limit"));
        const auto parsed = [&](const char* suffix) {
            const std::string text = p.transport_text(name, suffix);
            const auto value = feedback::parse(text);
            if (value) return *value;
            const std::string by = text == p.transport_text("default", suffix) ? "default" : name;
            complaints.push_back(by + suffix + ": ignoring malformed or unreasonable feedback: " + text);
            return feedback{};
        };
        flow.positive = parsed("_destination_concurrency_positive_feedback");
        flow.negative = parsed("_destination_concurrency_negative_feedback");
        recipient_limit = static_cast<std::size_t>(p.transport_number(name, "_destination_recipient_limit"));
        rate_delay = p.transport_duration(name, "_destination_rate_delay");
        pace = p.transport_duration(name, "_transport_rate_delay");
        if (rate_delay.count() > 0) flow.limit = 1;  // a delay between deliveries means one at a time
        if (flow.limit != 0 && flow.initial > flow.limit) flow.initial = flow.limit;
    }
    static job_settings scheduling(std::string_view name, const config::parameters& p) {
        job_settings result;
        result.slot_cost = static_cast<int>(p.transport_number(name, "_delivery_slot_cost"));
        result.slot_loan = static_cast<int>(p.transport_number(name, "_delivery_slot_loan"));
        result.slot_discount = static_cast<int>(p.transport_number(name, "_delivery_slot_discount"));
        result.minimum_slots = static_cast<int>(p.transport_number(name, "_minimum_delivery_slots"));
        result.recipient_limit = p.transport_number(name, "_recipient_limit");
        result.extra_recipients = p.transport_number(name, "_extra_recipient_limit");
        result.refill_limit = p.transport_number(name, "_recipient_refill_limit");
        result.refill_delay =
            std::chrono::floor<std::chrono::seconds>(p.transport_duration(name, "_recipient_refill_delay")).count();
        return result;
    }
    void revive_destinations() {
        for (auto at = destinations.begin(); at != destinations.end();) {
            destination& each = *(at++)->second;  // it may be forgotten
            if (each.flow.dead()) each.revived();
        }
    }
};

inline queue_manager::destination::destination(std::string queue_name, std::string hop, transport& of,
                                               queue_manager& owner)
    : name(std::move(queue_name)), next_hop(std::move(hop)), by(of), manager(owner), flow(of.flow) {
    revival.owner = this;
    pause.owner = this;
}

inline void queue_manager::destination::recount() {
    const bool counts = !waiting.empty() && open();
    if (counts == counted) return;
    counted = counts;
    by.open_destinations += counts ? 1 : static_cast<std::size_t>(-1);
}

inline void queue_manager::destination::resumed() {
    by.jobs.unblock(*this);
    recount();
    manager.poke();
    manager.forget_if_idle(by, *this);
}

// On-demand connection caching (qmgr_entry.c): on when a delivery follows the last one within a second, so that a burst
// no larger than the initial concurrency makes none; off when there is neither company nor a predecessor.
inline void queue_manager::destination::choose_caching(time_point now) {
    const auto second = std::chrono::floor<std::chrono::seconds>(now);
    const bool follows = last_done && *last_done + std::chrono::seconds(1) >= second;
    if (!keeps) {
        if (follows) uses_cached = keeps = true;
    } else if (busy <= 1 && !follows) {
        keeps = false;
    }
}

}  // namespace mta::qmgr
