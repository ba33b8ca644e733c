#include "mta/qmgr/job.hpp"

#include <algorithm>
#include <utility>

namespace mta::qmgr {

void entry::add(delivery::target who) {
    if (++recipients == 1) {
        only_ = std::move(who);
        return;
    }
    if (several_.empty()) several_.push_back(std::move(only_));
    several_.push_back(std::move(who));
}

void job_store::end(job& gone) {
    while (peer* each = gone.turn.first()) {
        while (entry* waiting = each->waiting.first()) {
            each->waiting.remove(*waiting);
            entries.destroy(*waiting);
        }
        gone.turn.remove(*each);
        peers.destroy(*each);
    }
    gone.message.jobs.remove(gone);
    jobs.destroy(gone);
}

job_owner::~job_owner() {
    while (job* each = jobs.first()) each->list.store().end(*each);
}

void job_owner::leave() {
    while (job* each = jobs.first()) {
        each->list.remove(*each);
        each->list.store().end(*each);
    }
}

job& job_list::obtain(job_owner& message) {
    job* found = message.jobs.first();
    while (found && &found->list != this) found = message.jobs.after(*found);
    if (!found) {
        found = &store_.jobs.make(message, *this);
        message.jobs.push_back(*found);
    }
    job& result = *found;
    if (result.level < 0) link(result);
    reconsider();
    if (passes_over(result)) {
        result.blocked = 0;
        current_ = order_.first();
    }
    return result;
}

// By the age of its message, behind those of the same age. Most often that is the end of the list.
void job_list::link(job& added) {
    const auto is_older = [&](const job& each) { return each.message.queued <= added.message.queued; };
    job* behind = order_.last();
    bool before_current = current_ == nullptr;
    for (; behind && !(!behind->parent && is_older(*behind)); behind = order_.before(*behind)) {
        if (behind == current_) before_current = true;
    }
    job* behind_in_time = by_time_.last();
    bool before_unread = next_unread_ == nullptr;
    for (; behind_in_time && !is_older(*behind_in_time); behind_in_time = by_time_.before(*behind_in_time)) {
        if (behind_in_time == next_unread_) before_unread = true;
    }
    added.level = 0;
    order_.insert_before(behind ? order_.after(*behind) : order_.first(), added);
    by_time_.insert_before(behind_in_time ? by_time_.after(*behind_in_time) : by_time_.first(), added);
    if (before_current) current_ = &added;
    if (before_unread) {
        job* const lender = std::exchange(next_unread_, &added);
        if (lender) move_limits(*lender);
    }
    // All the slots there are; what is too much goes back when all recipients have been read.
    if (unused_ > 0) {
        added.recipient_limit += unused_;
        added.message.recipient_limit += unused_;
        unused_ = 0;
    }
}

void job_list::move_limits(job& of) {
    job* next = next_unread_;
    if (&of == next) {
        do {
            next = by_time_.after(*next);
        } while (next && !next->message.more_on_file);
        next_unread_ = next;
    }
    const std::int64_t unused =
        std::min(of.recipient_limit - of.recipients, of.message.recipient_limit - of.message.recipients);
    if (unused <= 0) return;
    of.recipient_limit -= unused;
    of.message.recipient_limit -= unused;
    unused_ += unused;
    if (!next || unused_ <= 0) return;
    next->recipient_limit += unused_;
    next->message.recipient_limit += unused_;
    unused_ = 0;
}

// Its place in the order is the caller's to clear.
void job_list::pop(job& top) {
    job* const below = std::exchange(top.parent, nullptr);
    if (below) {
        // What it used other than expected; nothing if the job that it overtook has ended meanwhile.
        if (top.level == below->level + 1) below->slots_available -= top.slots_used * settings_.slot_cost;
        below->children.remove(top);
    }
    while (job* child = top.children.first()) {
        top.children.remove(*child);
        if (below) below->children.push_back(*child);
        child->parent = below;
    }
    top.level = 0;
    reconsider();
}

void job_list::unlink(job& gone) {
    while (job* child = gone.children.first()) {
        gone.children.remove(*child);
        child->parent = nullptr;
    }
    if (current_ == &gone) current_ = order_.after(gone);
    if (&gone == candidate_ || &gone == candidate_for_) reconsider();
    order_.remove(gone);
    by_time_.remove(gone);
    gone.level = -1;
}

// Nothing more to select for now; its deliveries go on, and obtain() brings it back.
void job_list::retire(job& idle) {
    if (idle.level > 0) pop(idle);
    move_limits(idle);
    unlink(idle);
}

void job_list::remove(job& gone) {
    if (gone.level > 0) pop(gone);
    move_limits(gone);
    if (gone.level >= 0) unlink(gone);
}

// A job that never had a turn and that nothing is left of. One that had earns slots for others until its turn comes.
void job_list::drop_if_spent(job& former) {
    const bool untouched = former.level == 0 && former.slots_available == 0 && former.children.empty();
    if (!untouched || former.has_entries() || !former.turn.empty() || former.message.more_on_file) return;
    remove(former);
    store_.end(former);
}

// The job's peer for this site, perhaps a new one.
peer& job_list::peer_for(job& of, site& at) {
    constexpr std::size_t few = 8;
    if (of.by_site) {
        if (const auto found = of.by_site->find(&at); found != of.by_site->end()) return *found->second;
    } else {
        for (peer* each = of.turn.last(); each; each = of.turn.before(*each)) {
            if (&each->to == &at) return *each;
        }
    }
    peer& made = store_.peers.make(of, at);
    of.turn.push_back(made);
    if (of.by_site) {
        of.by_site->emplace(&at, &made);
    } else if (++of.peer_count > few) {
        of.by_site = std::make_unique<std::map<const site*, peer*>>();
        for (peer* each = of.turn.first(); each; each = of.turn.after(*each)) of.by_site->emplace(&each->to, each);
    }
    return made;
}

bool job_list::add(job& to, site& at, delivery::target who, std::size_t limit) {
    peer* const latest = to.turn.last();
    peer& by = latest && &latest->to == &at ? *latest : peer_for(to, at);
    entry* last = by.waiting.last();
    const bool begins = !last || (limit != 0 && last->recipients >= limit);
    if (begins) {
        last = &store_.entries.make();
        last->message = &to.message;
        last->by = &by;
        by.waiting.push_back(*last);
        ++by.references;
        at.waiting.push_back(*last);
        ++at.waiting_count;
        ++to.read_entries;
        ++to.message.references;
    }
    last->add(std::move(who));
    ++to.recipients;
    ++to.message.recipients;
    return begins;
}

// The oldest for its size, of those that fit into the slots that `current` can still earn.
job* job_list::best_candidate(job& current, std::int64_t now) {
    if (candidate_for_ == &current && (candidate_time_ == now || !candidate_)) return candidate_;
    const std::int64_t most_slots =
        (current.read_entries - current.selected_entries + current.slots_available) / settings_.slot_cost;
    job* best = nullptr;
    double best_score = 0;
    for (job* each = most_slots > 0 ? order_.after(current) : nullptr; each; each = order_.after(*each)) {
        if (!each->children.empty() || passes_over(*each)) continue;
        const std::int64_t total = each->most_entries(), needed = total - each->selected_entries;
        const auto age = static_cast<double>(now - each->message.queued + 1);
        if (needed > 0 && needed <= most_slots && age / static_cast<double>(total) > best_score) {
            best_score = age / static_cast<double>(total);
            best = each;
        }
        // Those behind are younger, and nothing is smaller than one delivery.
        if (age <= best_score && each->level == 0) break;
    }
    candidate_ = best;
    candidate_for_ = &current;
    candidate_time_ = now;
    return best;
}

// The job to serve: the current one, or the one that overtakes it now.
job& job_list::preempt(job& current, std::int64_t now) {
    const std::int64_t cost = settings_.slot_cost;
    if (current.slots_available <= 0 || current.most_entries() < settings_.minimum_slots * cost) return current;
    job* const found = best_candidate(current, now);
    if (!found) return current;
    const std::int64_t needed = found->most_entries() - found->selected_entries;
    const double needed_now = static_cast<double>(needed) * (100 - settings_.slot_discount) / 100.0;
    if (static_cast<double>(current.slots_available / cost + settings_.slot_loan) < needed_now) return current;

    job& first = *found;
    if (first.level > 0) pop(first);
    order_.remove(first);
    order_.insert_before(&current, first);
    first.parent = &current;
    current.children.push_back(first);
    first.level = current.level + 1;
    current_ = &first;
    reconsider();
    // Paid in advance for what it is expected to use; pop() settles the difference.
    current.slots_available -= needed * cost;
    first.slots_used = -needed;
    if (first.message.more_on_file) {
        const std::int64_t extra = (settings_.extra_recipients + unused_ + 1) / 2;
        first.recipient_limit += extra;
        first.message.recipient_limit += extra;
        unused_ -= extra;
    }
    return first;
}

// The first of the job's destinations that has a hand free; it goes to the end of the line.
static peer* next_peer(job& of) {
    if (!of.has_entries()) return nullptr;
    for (peer* each = of.turn.first(); each; each = of.turn.after(*each)) {
        if (each->waiting.empty() || !each->to.open()) continue;
        of.turn.remove(*each);
        of.turn.push_back(*each);
        return each;
    }
    return nullptr;
}

peer* job_list::choose_peer(job& of, std::int64_t now, recipient_reader& reader) const {
    job_owner& message = of.message;
    const auto room = [&] { return message.recipient_limit - message.recipients; };
    const auto may_read = [&] { return message.more_on_file && message.references > 0 && room() > 0; };
    // In portions, or when the last one was some time ago: one slow destination is not to hold up all the others.
    if (may_read() && (room() >= settings_.refill_limit || now - message.refilled >= settings_.refill_delay)) {
        reader.read_more(message);
    }
    if (peer* found = next_peer(of)) return found;
    if (!may_read()) return nullptr;
    reader.read_more(message);
    return next_peer(of);
}

void job_list::pass_over(job& blocked) {
    blocked.blocked = mark_;
    for (peer* each = blocked.turn.first(); each; each = blocked.turn.after(*each)) {
        if (!each->waiting.empty()) each->to.blocks = mark_;
    }
}

entry_handle job_list::select(std::int64_t now, recipient_reader& reader) {
    job* at = current_;
    if (at && settings_.slot_cost >= 2) at = &preempt(*at, now);
    for (job* next = nullptr; at; at = next) {
        next = order_.after(*at);
        if (passes_over(*at)) continue;
        if (peer* const chosen = choose_peer(*at, now, reader)) {
            entry_handle work = store_.entries.hold(*chosen->waiting.first());
            chosen->waiting.remove(*work);
            chosen->to.waiting.remove(*work);
            --chosen->to.waiting_count;
            ++at->selected_entries;
            ++at->slots_available;
            ++at->slots_used;
            if (at != candidate_for_) reconsider();
            current_ = at;
            if (!at->has_entries() && !at->message.more_on_file) retire(*at);
            return work;
        }
        if (at->has_entries()) {
            pass_over(*at);
        } else {
            retire(*at);
        }
    }
    current_ = nullptr;
    return nullptr;
}

void job_list::unselect(entry_handle work) {
    peer& by = *work->by;
    obtain(by.of.message);
    --by.of.selected_entries;
    by.to.waiting.push_front(*work);
    ++by.to.waiting_count;
    by.waiting.push_front(*work.release());
}

void job_list::release_peer(entry& work) {
    peer& by = *work.by;
    job& of = by.of;
    job_owner& message = of.message;
    // Jobs that lent recipients' slots to this message have them back first.
    for (job* each = message.jobs.first(); each; each = message.jobs.after(*each)) {
        if (each == &of || each->recipients >= each->recipient_limit) continue;
        if (each->level < 0 || !message.more_on_file) each->list.move_limits(*each);
    }
    if (!message.more_on_file) move_limits(of);
    unblock(by.to);
    if (--by.references > 0) return;
    of.turn.remove(by);
    if (of.by_site) {
        of.by_site->erase(&by.to);
    } else {
        --of.peer_count;
    }
    store_.peers.destroy(by);
}

void job_list::done(entry& work) {
    const auto count = static_cast<std::int64_t>(work.recipients);
    work.by->of.recipients -= count;
    work.message->recipients -= count;
    release_peer(work);
}

void job_list::take_over(entry& work, site& at) {
    const auto count = static_cast<std::int64_t>(work.recipients);
    job& mine = obtain(*work.message);
    peer& before = *work.by;
    job& former = before.of;
    before.waiting.remove(work);
    before.to.waiting.remove(work);
    --before.to.waiting_count;
    ++former.selected_entries;
    former.recipients -= count;
    mine.recipients += count;
    former.list.release_peer(work);
    former.list.drop_if_spent(former);

    peer& by = peer_for(mine, at);
    work.by = &by;
    by.waiting.push_back(work);
    ++by.references;
    at.waiting.push_back(work);
    ++at.waiting_count;
    ++mine.read_entries;
}

void job_list::unblock(site& at) {
    if (at.blocks != mark_) return;
    if (at.open() && !at.waiting.empty()) {
        mark_ += 2;
        current_ = order_.first();
        reconsider();
    }
    if (at.open() || at.dead()) at.blocks = 0;
}

}  // namespace mta::qmgr
