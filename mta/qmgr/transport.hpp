// mta/qmgr/transport.hpp - what the queue manager knows while it works: messages, transports, destinations, deliveries.
//
// Private to the queue manager; these are its own types, apart because they are data.
#pragma once
#include <chrono>
#include <optional>

#include "mta/config/parameters.hpp"
#include "mta/master/daemon.hpp"
#include "mta/qmgr/queue_manager.hpp"

namespace mta::qmgr {

struct queue_manager::active_message {
    queue::message file;
    time_point since{};
    bool flushed = false;
    std::size_t references = 0;  // deliveries that wait or run
    std::list<active_message>::iterator place_in_queue;
};

// Recipients of one message that go in one delivery.
struct queue_manager::entry {
    active_message* message = nullptr;
    std::vector<delivery::target> targets;
    delivery::request request;
};

struct queue_manager::destination {
    struct revive final : timer {
        destination* owner = nullptr;
        void expired() override { owner->revived(); }
    };
    struct unpause final : timer {
        queue_manager* manager = nullptr;
        destination* owner = nullptr;
        void expired() override {
            queue_manager& to_tell = *manager;
            to_tell.forget_if_idle(owner->by, *owner);
            to_tell.poke();
        }
    };
    std::string name, next_hop;
    transport& by;
    queue_manager& manager;
    concurrency flow;
    std::list<std::unique_ptr<entry>> waiting;  // a destination comes and goes with each message: no block for many
    int busy = 0;
    // Connections are kept once deliveries come one after the other, and used until the destination is idle.
    bool uses_cached = false, keeps = false;
    std::optional<std::chrono::sys_seconds> last_done;
    revive revival;
    unpause pause;  // *_destination_rate_delay
    std::list<destination*>::iterator place_in_turn;

    destination(std::string queue_name, std::string hop, transport& of, queue_manager& owner);
    bool pausing() const { return pause.armed(); }
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
        manager.forget_if_idle(by, *this);
    }
};

struct queue_manager::transport {
    struct wait_for_master final : timer {
        queue_manager* manager = nullptr;
        void expired() override { manager->poke(); }
    };
    std::string name;
    master::daemon* daemon;   // null: master.cf has none
    wait_for_master restart;  // while the agent's start is throttled
    concurrency_settings flow;
    std::size_t recipient_limit = 50;
    duration rate_delay{};
    bool is_error;  // error and retry: one queue for each text
    std::map<std::string, std::unique_ptr<destination>, std::less<>> destinations;
    std::list<destination*> turn;  // whose turn it is, first

    transport(std::string transport_name, master::daemon* service, const config::parameters& p)
        : name(std::move(transport_name)), daemon(service), is_error(name == "error" || name == "retry") {
        flow.initial = static_cast<int>(p.transport_number(name, "_initial_destination_concurrency"));
        flow.limit = static_cast<int>(p.transport_number(name, "_destination_concurrency_limit"));
        flow.failed_cohorts =
            static_cast<double>(p.transport_number(name, "_destination_concurrency_failed_cohort_limit"));
        const auto parsed = [&](const char* suffix) {
            const auto value = feedback::parse(p.transport_text(name, suffix));
            return value ? *value : feedback{};
        };
        flow.positive = parsed("_destination_concurrency_positive_feedback");
        flow.negative = parsed("_destination_concurrency_negative_feedback");
        recipient_limit = static_cast<std::size_t>(p.transport_number(name, "_destination_recipient_limit"));
        rate_delay = p.transport_duration(name, "_destination_rate_delay");
        if (rate_delay.count() > 0) flow.limit = 1;  // a delay between deliveries means one at a time
        if (flow.limit != 0 && flow.initial > flow.limit) flow.initial = flow.limit;
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
    pause.manager = &owner;
    pause.owner = this;
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
