// mta/qmgr/job.hpp - whose turn it is at a transport: jobs, and how a small one overtakes a large one
// (SCHEDULER_README, qmgr(8)).
//
// A job is what one message has to deliver through one transport. Jobs are served in the order of their messages, but
// every delivery of a job earns the transport a part of a slot, and when enough slots are there, a small job is put in
// front of it and uses them up: the large message is late by a bounded share, the small ones are hardly late at all.
// Inside a job the destinations take turns. A job whose destinations all have their hands full is passed over until one
// of them has a hand free. Of a message with very many recipients only some are in memory; slots for recipients are
// lent to the jobs in front.
//
// Plain data structures with no clock and no I/O.
#pragma once
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <vector>

#include "mta/delivery/request.hpp"
#include "mta/qmgr/chain.hpp"
#include "mta/qmgr/pool.hpp"

namespace mta::qmgr {

class job_list;
struct job_owner;
struct job;
struct peer;

// TRANSPORT_delivery_slot_cost and its kin; times in seconds.
struct job_settings {
    int slot_cost = 5;       // deliveries that earn a slot; below 2: nobody overtakes
    int slot_loan = 3;       // slots that are lent to who overtakes
    int slot_discount = 50;  // percent of its slots that need not be there when a job overtakes
    int minimum_slots = 3;   // a job that will never earn these is not overtaken
    std::int64_t recipient_limit = 20'000, extra_recipients = 1'000, refill_limit = 100, refill_delay = 5;
};

// Recipients of one message that go in one delivery.
struct entry {
    job_owner* message = nullptr;
    peer* by = nullptr;
    std::size_t recipients = 0;
    chain_link<entry> in_peer, in_site;

    void add(delivery::target who);
    std::span<const delivery::target> targets() const {
        return several_.empty() ? std::span(&only_, recipients) : std::span<const delivery::target>(several_);
    }

  private:
    // Most deliveries are to one recipient, and need no room elsewhere then.
    delivery::target only_;
    std::vector<delivery::target> several_;
};

// A destination, as jobs see it.
struct site {
    chain<entry, &entry::in_site> waiting;
    std::size_t waiting_count = 0;
    int busy = 0;
    unsigned blocks = 0;  // equal to the list's mark: a job is passed over because of it

    virtual bool open() const = 0;  // would take a delivery now
    virtual bool dead() const = 0;

  protected:
    ~site() = default;
};

// A job's deliveries to one destination.
struct peer {
    job& of;
    site& to;
    chain<entry, &entry::in_peer> waiting;
    std::size_t references = 0;  // deliveries that wait or run
    chain_link<peer> turn;

    peer(job& owner, site& where) : of(owner), to(where) {}
    peer(const peer&) = delete;
    peer& operator=(const peer&) = delete;
};

struct job {
    job_owner& message;
    job_list& list;
    chain_link<job> of_message, in_order, in_time, sibling;
    chain<job, &job::sibling> children;  // jobs that overtook this one
    job* parent = nullptr;               // the job that this one overtook
    int level = -1;                      // of overtaking; -1: in no list
    unsigned blocked = 0;                // equal to the list's mark: passed over
    std::int64_t slots_used = 0, slots_available = 0;
    std::int64_t selected_entries = 0, read_entries = 0;
    std::int64_t recipients = 0, recipient_limit = 0;
    chain<peer, &peer::turn> turn;  // all of its peers
    std::size_t peer_count = 0;
    std::unique_ptr<std::map<const site*, peer*>> by_site;  // for look-ups, once there are many

    job(job_owner& owner, job_list& at) : message(owner), list(at) {}
    bool has_entries() const { return selected_entries < read_entries; }
    std::int64_t most_entries() const;
};

// What the jobs of an active message share.
struct job_owner {
    std::int64_t queued = 0;       // when it became active, in seconds
    std::size_t unread = 0;        // recipients still on file, those that are done among them
    bool more_on_file = false;     // reading ended at a limit
    std::int64_t refilled = 0;     // when recipients were last read
    std::int64_t recipients = 0;   // in memory
    std::int64_t recipient_limit;  // of those
    std::size_t references = 0;    // deliveries that wait or run
    chain<job, &job::of_message> jobs;

    explicit job_owner(std::int64_t minimum_recipients) : recipient_limit(minimum_recipients) {}
    // Its jobs end with it; the lists must not be used again then, unless leave() came before.
    ~job_owner();
    job_owner(const job_owner&) = delete;
    job_owner& operator=(const job_owner&) = delete;
    // Leaves the lists of all transports.
    void leave();
};

inline std::int64_t job::most_entries() const {
    return read_entries + static_cast<std::int64_t>(message.unread);
}

// Where the jobs of all lists live.
struct job_store {
    pool<job> jobs;
    pool<peer> peers;
    pool<entry> entries;

    // With all that waits in it.
    void end(job& gone);
};
using entry_handle = pool<entry>::handle;

// Reads more recipients of a message into memory, and adds them to its jobs.
class recipient_reader {
  public:
    virtual void read_more(job_owner& message) = 0;

  protected:
    ~recipient_reader() = default;
};

// The jobs of one transport.
class job_list {
  public:
    job_list(const job_settings& settings, job_store& store)
        : settings_(settings), store_(store), unused_(settings.recipient_limit) {}
    job_list(const job_list&) = delete;
    job_list& operator=(const job_list&) = delete;

    // The message's job here, in the list and ready for recipients.
    job& obtain(job_owner& message);
    // One more recipient of a job. True when it began a delivery, others went before it with no room.
    bool add(job& to, site& at, delivery::target who, std::size_t limit);
    // The next delivery, or null. `now` in seconds.
    entry_handle select(std::int64_t now, recipient_reader& reader);
    // Back to where select() took it from.
    void unselect(entry_handle work);
    // A selected delivery has ended; the site's `busy` knows already.
    void done(entry& work);
    // What waits for a site waits for another one, of this transport.
    void take_over(entry& work, site& at);
    // The site may have a hand free again.
    void unblock(site& at);
    // What a job's message does not need of its share goes to the next job that has recipients on file.
    void move_limits(job& of);
    void remove(job& gone);
    // New recipients were read: another job may be the best one now.
    void reconsider() { candidate_for_ = nullptr; }
    bool passes_over(const job& each) const { return each.blocked == mark_; }
    job_store& store() { return store_; }

  private:
    void link(job& added);
    void unlink(job& gone);
    void retire(job& idle);
    void pop(job& top);
    void drop_if_spent(job& former);
    peer& peer_for(job& of, site& at);
    void release_peer(entry& work);
    job* best_candidate(job& current, std::int64_t now);
    job& preempt(job& current, std::int64_t now);
    peer* choose_peer(job& of, std::int64_t now, recipient_reader& reader) const;
    void pass_over(job& blocked);

    job_settings settings_;
    job_store& store_;
    chain<job, &job::in_order> order_;
    chain<job, &job::in_time> by_time_;
    job* current_ = nullptr;
    job* next_unread_ = nullptr;  // the first with recipients on file
    job* candidate_ = nullptr;    // the last answer of best_candidate()
    job* candidate_for_ = nullptr;
    std::int64_t candidate_time_ = 0;
    std::int64_t unused_;  // slots for recipients
    unsigned mark_ = 1;    // odd, so that 0 never equals it
};

}  // namespace mta::qmgr
