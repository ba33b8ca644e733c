#include "mta/master/process_pool.hpp"

namespace mta::master {
namespace {

constexpr int first_process_id = 300;     // a machine that has booted
constexpr int process_id_limit = 32'768;  // kernel.pid_max's default

}  // namespace

process_ids::process_ids(random_source& gaps)
    : gaps_(gaps), last_(first_process_id + static_cast<int>(gaps.below(9'000))) {}

int process_ids::next() {
    last_ += 1 + static_cast<int>(gaps_.below(3));
    if (last_ >= process_id_limit) last_ = first_process_id;
    return last_;
}

process_pool::lease process_pool::take(scheduler& clock) {
    const time_point now = clock.now();
    std::size_t vacant = workers_.size();
    std::size_t chosen = workers_.size();
    for (std::size_t i = 0; i < workers_.size(); ++i) {
        worker& each = *workers_[i];
        if (each.busy) continue;
        const bool gone = each.uses >= limits_.max_use || now - each.idle_since >= limits_.max_idle;
        if (gone) {
            if (vacant == workers_.size()) vacant = i;
        } else {
            chosen = i;
            break;
        }
    }
    if (chosen == workers_.size()) {
        if (exhausted()) return {};
        chosen = vacant;
        if (vacant == workers_.size()) workers_.push_back(std::make_unique<worker>());
        worker& started = *workers_[chosen];
        started.tag = tag_;
        started.pid = ids_.next();
        started.uses = 0;
    }
    worker& each = *workers_[chosen];
    each.busy = true;
    ++each.uses;
    ++busy_;
    return lease(*this, chosen, clock);
}

task<process_pool::lease> process_pool::wait_for_one(scheduler& clock) {
    for (;;) {
        lease taken = take(clock);
        if (taken) co_return taken;
        if (!freed_) freed_ = std::make_unique<signal>(clock);
        co_await freed_->wait();
    }
}

process_pool::lease& process_pool::lease::operator=(lease&& other) noexcept {
    if (this != &other) {
        give_back();
        pool_ = std::exchange(other.pool_, nullptr);
        index_ = other.index_;
        clock_ = other.clock_;
    }
    return *this;
}

void process_pool::lease::end_process() {
    if (!pool_) return;
    pool_->workers_[index_]->uses = pool_->limits_.max_use;
    give_back();
}

void process_pool::lease::give_back() {
    if (!pool_) return;
    worker& each = *pool_->workers_[index_];
    each.busy = false;
    each.idle_since = clock_->now();
    --pool_->busy_;
    if (pool_->freed_) pool_->freed_->notify_one();
    pool_ = nullptr;
}

}  // namespace mta::master
