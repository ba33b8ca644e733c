#include "mta/async/timer_heap.hpp"

#include <algorithm>

namespace mta {

timer_heap::~timer_heap() {
    for (const slot& each : heap_) each.entry->owner_ = nullptr;
}

void timer_heap::insert(timer& entry, time_point due) {
    if (entry.owner_) entry.owner_->remove(entry);
    entry.owner_ = this;
    entry.due_ = due;
    entry.sequence_ = sequence_++;
    heap_.emplace_back();
    sift_up(heap_.size() - 1, slot{due, entry.sequence_, &entry});
}

void timer_heap::remove(timer& entry) {
    const std::size_t at = entry.position_;
    entry.owner_ = nullptr;
    const slot last = heap_.back();
    heap_.pop_back();
    if (last.entry == &entry) return;
    if (at > 0 && last.before(heap_[(at - 1) / 4])) {
        sift_up(at, last);
    } else {
        sift_down(at, last);
    }
}

timer& timer_heap::pop() {
    timer& entry = *heap_.front().entry;
    remove(entry);
    return entry;
}

void timer_heap::sift_up(std::size_t at, const slot& value) {
    while (at > 0) {
        const std::size_t parent = (at - 1) / 4;
        if (!value.before(heap_[parent])) break;
        place(at, heap_[parent]);
        at = parent;
    }
    place(at, value);
}

void timer_heap::sift_down(std::size_t at, const slot& value) {
    for (;;) {
        const std::size_t first = 4 * at + 1;
        if (first >= heap_.size()) break;
        std::size_t least = first;
        for (std::size_t child = first + 1; child < std::min(first + 4, heap_.size()); ++child) {
            if (heap_[child].before(heap_[least])) least = child;
        }
        if (!heap_[least].before(value)) break;
        place(at, heap_[least]);
        at = least;
    }
    place(at, value);
}

}  // namespace mta
