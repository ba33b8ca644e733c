// mta/async/task.hpp - the coroutine that every session, delivery and scan of a mail system is written as.
//
// A task starts when it is awaited, runs on the thread of its world, and owns the frames below it: destroying the
// outermost task of a process destroys all of them, wherever they wait. That is how a host is killed in mid-session.
// An exception leaves through the awaiting task; at the top, the nursery's handler takes it.
// docs/decisions/coroutines.md says why this is not asio::awaitable.
#pragma once
#include <coroutine>
#include <exception>
#include <functional>
#include <optional>
#include <utility>

namespace mta {

template <class T>
class task;

namespace detail {

struct resume_awaiter {
    bool await_ready() const noexcept { return false; }
    template <class Promise>
    std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> finished) const noexcept {
        return finished.promise().continuation;
    }
    void await_resume() const noexcept {}
};

struct task_promise_base {
    std::coroutine_handle<> continuation = std::noop_coroutine();
    std::exception_ptr error;

    std::suspend_always initial_suspend() const noexcept { return {}; }
    resume_awaiter final_suspend() const noexcept { return {}; }
    void unhandled_exception() noexcept { error = std::current_exception(); }
};

template <class T>
struct task_promise : task_promise_base {
    std::optional<T> value;
    task<T> get_return_object() noexcept;
    template <class U>
    void return_value(U&& result) {
        value.emplace(std::forward<U>(result));
    }
    T take() {
        if (error) std::rethrow_exception(error);
        return std::move(*value);
    }
};

template <>
struct task_promise<void> : task_promise_base {
    task<void> get_return_object() noexcept;
    void return_void() const noexcept {}
    void take() const {
        if (error) std::rethrow_exception(error);
    }
};

}  // namespace detail

template <class T = void>
class [[nodiscard]] task {
  public:
    using promise_type = detail::task_promise<T>;
    using handle = std::coroutine_handle<promise_type>;

    task() = default;
    explicit task(handle frame) : frame_(frame) {}
    task(task&& other) noexcept : frame_(std::exchange(other.frame_, nullptr)) {}
    task& operator=(task&& other) noexcept {
        if (this != &other) {
            reset();
            frame_ = std::exchange(other.frame_, nullptr);
        }
        return *this;
    }
    ~task() { reset(); }

    bool await_ready() const noexcept { return false; }
    // A task that never has to wait ends in here, and hands back to nobody: so a long loop over such tasks needs no
    // more stack than one of them, whether or not the compiler turns a transfer between coroutines into a jump.
    bool await_suspend(std::coroutine_handle<> awaiting) const noexcept {
        frame_.resume();
        if (frame_.done()) return false;
        frame_.promise().continuation = awaiting;
        return true;
    }
    T await_resume() const { return frame_.promise().take(); }

  private:
    void reset() {
        if (frame_) std::exchange(frame_, nullptr).destroy();
    }
    handle frame_ = nullptr;
};

template <class T>
task<T> detail::task_promise<T>::get_return_object() noexcept {
    return task<T>(task<T>::handle::from_promise(*this));
}
inline task<void> detail::task_promise<void>::get_return_object() noexcept {
    return task<void>(task<void>::handle::from_promise(*this));
}

// The tasks that run beside each other in one process. Its destructor ends those that still wait.
class nursery {
  public:
    using error_handler = std::function<void(std::exception_ptr)>;

    explicit nursery(error_handler on_error) : on_error_(std::move(on_error)) {}
    nursery(const nursery&) = delete;
    nursery& operator=(const nursery&) = delete;
    ~nursery() { cancel_all(); }

    // Runs `work` up to its first wait, now.
    void start(task<void> work);
    void cancel_all();
    bool idle() const { return first_ == nullptr; }

  private:
    struct root {
        struct promise_type;
    };
    static root run(nursery& owner, task<void> work);

    root::promise_type* first_ = nullptr;
    error_handler on_error_;
};

}  // namespace mta
