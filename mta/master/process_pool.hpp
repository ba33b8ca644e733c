// mta/master/process_pool.hpp - the processes that a mail system would have: names and ids for the log, and their
// limit.
//
// A lab has no processes, but its log does: a daemon serves one client at a time, is used again while it is idle
// (max_idle, max_use), and an administrator follows a session by its process id. master(8) starts them.
#pragma once
#include <cstdint>
#include <memory>
#include <vector>

#include "mta/host.hpp"

namespace mta::master {

// Hands out ascending process ids, with the gaps that a busy machine has.
class process_ids {
  public:
    explicit process_ids(random_source& gaps);
    int next();

  private:
    random_source& gaps_;
    int last_;
};

class process_pool {
  public:
    struct limits {
        duration max_idle = std::chrono::seconds(100);
        int max_use = 100;
        std::size_t processes = 100;  // 0: no limit
    };
    process_pool(std::string tag, limits bounds, process_ids& ids) : tag_(std::move(tag)), limits_(bounds), ids_(ids) {}

    // A process at work; gives itself back when it is destroyed.
    class lease {
      public:
        lease() = default;
        lease(process_pool& pool, std::size_t index, scheduler& clock) : pool_(&pool), index_(index), clock_(&clock) {}
        lease(lease&& other) noexcept
            : pool_(std::exchange(other.pool_, nullptr)), index_(other.index_), clock_(other.clock_) {}
        lease& operator=(lease&& other) noexcept;
        ~lease() { give_back(); }
        const maillog::process& process() const { return *pool_->workers_[index_]; }
        // The process has had other clients.
        bool used_before() const { return pool_->workers_[index_]->uses > 1; }
        // The process ended badly and is not used again.
        void end_process();
        explicit operator bool() const { return pool_ != nullptr; }

      private:
        friend class process_pool;
        void give_back();
        process_pool* pool_ = nullptr;
        std::size_t index_ = 0;
        scheduler* clock_ = nullptr;
    };

    // Empty when all processes are at work.
    lease take(scheduler& clock);
    // Waits for its turn while they are.
    task<lease> wait_for_one(scheduler& clock);
    bool exhausted() const { return limits_.processes != 0 && busy_ >= limits_.processes; }
    const std::string& tag() const { return tag_; }

  private:
    struct worker : maillog::process {
        bool busy = false;
        int uses = 0;
        time_point idle_since{};
    };
    std::string tag_;
    limits limits_;
    process_ids& ids_;
    std::vector<std::unique_ptr<worker>> workers_;
    std::size_t busy_ = 0;
    std::unique_ptr<signal> freed_;  // made when somebody first has to wait
};

}  // namespace mta::master
