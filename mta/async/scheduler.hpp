// mta/async/scheduler.hpp - time and turn-taking, as a mail system asks its host for them.
//
// Two kinds of entry wait in a scheduler: what is ready (first come, first run) and timers (by time, then by the order
// in which they were armed). Both are intrusive: an entry that is destroyed leaves the scheduler, so nothing ever runs
// for a session that is gone. Nothing here allocates.
#pragma once
#include <chrono>
#include <coroutine>
#include <cstddef>
#include <cstdint>

namespace mta {

using duration = std::chrono::nanoseconds;
using time_point = std::chrono::sys_time<duration>;  // since the Unix epoch, on the host's own clock
inline constexpr time_point never = time_point::max();

class scheduler;

// Something to run once, soon.
class ready_entry {
  public:
    ready_entry() = default;
    ready_entry(const ready_entry&) = delete;
    ready_entry& operator=(const ready_entry&) = delete;
    virtual void run() = 0;
    bool queued() const { return queued_; }

  protected:
    virtual ~ready_entry() { unlink(); }

  private:
    friend class ready_queue;
    void unlink();
    ready_entry* next_ = nullptr;
    ready_entry* previous_ = nullptr;
    class ready_queue* queue_ = nullptr;
    bool queued_ = false;
};

// First in, first out; entries may leave at any time.
class ready_queue {
  public:
    ready_queue() = default;
    ready_queue(const ready_queue&) = delete;
    ready_queue& operator=(const ready_queue&) = delete;
    ~ready_queue();
    void push(ready_entry& entry);
    bool run_one();  // false when there was none
    bool empty() const { return first_ == nullptr; }

  private:
    friend class ready_entry;
    void remove(ready_entry& entry);
    ready_entry* first_ = nullptr;
    ready_entry* last_ = nullptr;
};

// Something to run at a time. Arming an armed timer moves it.
class timer {
  public:
    timer() = default;
    timer(const timer&) = delete;
    timer& operator=(const timer&) = delete;
    virtual void expired() = 0;
    bool armed() const { return owner_ != nullptr; }
    time_point due() const { return due_; }

  protected:
    virtual ~timer();

  private:
    friend class timer_heap;
    time_point due_{};
    std::uint64_t sequence_ = 0;
    std::size_t position_ = 0;
    class timer_heap* owner_ = nullptr;
};

class scheduler {
  public:
    virtual ~scheduler() = default;
    virtual time_point now() const = 0;
    virtual void post(ready_entry& entry) = 0;
    virtual void arm(timer& entry, time_point due) = 0;
    virtual void disarm(timer& entry) = 0;
};

// co_await sleep_until(scheduler, when): resumes at `when`, or at once when that is past.
class sleep_until final : timer {
  public:
    sleep_until(scheduler& clock, time_point when) : clock_(clock), when_(when) {}
    bool await_ready() const { return when_ <= clock_.now(); }
    void await_suspend(std::coroutine_handle<> waiting) {
        waiting_ = waiting;
        clock_.arm(*this, when_);
    }
    void await_resume() const {}

  private:
    void expired() override { waiting_.resume(); }
    scheduler& clock_;
    time_point when_;
    std::coroutine_handle<> waiting_;
};

inline sleep_until sleep_for(scheduler& clock, duration how_long) {
    return sleep_until(clock, clock.now() + how_long);
}

// co_await yield(scheduler): lets everything that is ready now run first.
class yield final : ready_entry {
  public:
    explicit yield(scheduler& queue) : queue_(queue) {}
    bool await_ready() const { return false; }
    void await_suspend(std::coroutine_handle<> waiting) {
        waiting_ = waiting;
        queue_.post(*this);
    }
    void await_resume() const {}

  private:
    void run() override { waiting_.resume(); }
    scheduler& queue_;
    std::coroutine_handle<> waiting_;
};

// A condition that tasks wait for, in order of arrival. A waiter that is destroyed leaves the line.
class signal {
  public:
    explicit signal(scheduler& queue) : queue_(queue) {}
    signal(const signal&) = delete;
    signal& operator=(const signal&) = delete;

    class waiter final : ready_entry, timer {
      public:
        waiter(signal& source, time_point deadline) : source_(source), deadline_(deadline) {}
        waiter(const waiter&) = delete;
        ~waiter();
        bool await_ready() const { return false; }
        void await_suspend(std::coroutine_handle<> waiting);
        bool await_resume() const { return notified_; }  // false: the deadline came first

      private:
        friend class signal;
        void run() override { waiting_.resume(); }
        void expired() override;
        signal& source_;
        time_point deadline_;
        std::coroutine_handle<> waiting_;
        waiter* next_ = nullptr;
        waiter* previous_ = nullptr;
        bool in_line_ = false;
        bool notified_ = false;
    };

    waiter wait() { return waiter(*this, never); }
    waiter wait_until(time_point deadline) { return waiter(*this, deadline); }
    void notify_one();
    void notify_all();

  private:
    void remove(waiter& entry);
    scheduler& queue_;
    waiter* first_ = nullptr;
    waiter* last_ = nullptr;
};

}  // namespace mta
