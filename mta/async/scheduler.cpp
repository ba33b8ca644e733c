#include "mta/async/scheduler.hpp"

#include <utility>

#include "mta/async/timer_heap.hpp"

namespace mta {

void ready_entry::unlink() {
    if (queued_) queue_->remove(*this);
}

ready_queue::~ready_queue() {
    while (first_) remove(*first_);
}

void ready_queue::push(ready_entry& entry) {
    if (entry.queued_) return;
    entry.queue_ = this;
    entry.queued_ = true;
    entry.next_ = nullptr;
    entry.previous_ = last_;
    (last_ ? last_->next_ : first_) = &entry;
    last_ = &entry;
}

void ready_queue::remove(ready_entry& entry) {
    (entry.previous_ ? entry.previous_->next_ : first_) = entry.next_;
    (entry.next_ ? entry.next_->previous_ : last_) = entry.previous_;
    entry.queued_ = false;
}

bool ready_queue::run_one() {
    if (!first_) return false;
    ready_entry& entry = *first_;
    remove(entry);
    entry.run();
    return true;
}

timer::~timer() {
    if (owner_) owner_->remove(*this);
}

signal::waiter::~waiter() {
    if (in_line_) source_.remove(*this);
}

void signal::waiter::await_suspend(std::coroutine_handle<> waiting) {
    waiting_ = waiting;
    previous_ = source_.last_;
    (source_.last_ ? source_.last_->next_ : source_.first_) = this;
    source_.last_ = this;
    in_line_ = true;
    if (deadline_ != never) source_.queue_.arm(*this, deadline_);
}

void signal::waiter::expired() {
    if (!in_line_) return;
    source_.remove(*this);
    waiting_.resume();
}

void signal::remove(waiter& entry) {
    (entry.previous_ ? entry.previous_->next_ : first_) = entry.next_;
    (entry.next_ ? entry.next_->previous_ : last_) = entry.previous_;
    entry.next_ = entry.previous_ = nullptr;
    entry.in_line_ = false;
}

void signal::notify_one() {
    if (!first_) return;
    waiter& entry = *first_;
    remove(entry);
    entry.notified_ = true;
    if (entry.armed()) queue_.disarm(entry);
    queue_.post(entry);
}

void signal::notify_all() {
    while (first_) notify_one();
}

}  // namespace mta
