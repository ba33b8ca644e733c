#include "mta/async/task.hpp"

namespace mta {

struct nursery::root::promise_type {
    nursery& owner;
    promise_type* next;
    promise_type* previous = nullptr;

    promise_type(nursery& nursery_of_root, const task<void>&) : owner(nursery_of_root), next(nursery_of_root.first_) {
        if (next) next->previous = this;
        owner.first_ = this;
    }
    promise_type(const promise_type&) = delete;
    ~promise_type() {
        (previous ? previous->next : owner.first_) = next;
        if (next) next->previous = previous;
    }
    root get_return_object() const noexcept { return {}; }
    std::suspend_never initial_suspend() const noexcept { return {}; }
    std::suspend_never final_suspend() const noexcept { return {}; }
    void return_void() const noexcept {}
    void unhandled_exception() const { owner.on_error_(std::current_exception()); }
};

nursery::root nursery::run(nursery&, task<void> work) {
    co_await work;
}

void nursery::start(task<void> work) {
    run(*this, std::move(work));
}

void nursery::cancel_all() {
    while (first_) std::coroutine_handle<root::promise_type>::from_promise(*first_).destroy();
}

}  // namespace mta
