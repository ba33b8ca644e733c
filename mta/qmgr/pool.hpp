// mta/qmgr/pool.hpp - room for the many small objects of the active queue: what one message leaves the next one takes.
//
// Objects of one kind lie side by side, in the order in which they were made. Tens of thousands of messages that are
// tried again and again in turn are read from memory in one sweep then, and none of it goes through the allocator. The
// room is kept until the pool ends; every object must have been given back by then, its destructor would not run.
#pragma once
#include <algorithm>
#include <cstddef>
#include <memory>
#include <new>
#include <utility>
#include <vector>

namespace mta::qmgr {

template <class T>
class pool {
  public:
    struct give_back {
        pool* to = nullptr;
        void operator()(T* gone) const { to->destroy(*gone); }
    };
    using handle = std::unique_ptr<T, give_back>;

    pool() = default;
    pool(const pool&) = delete;
    pool& operator=(const pool&) = delete;

    template <class... Arguments>
    T& make(Arguments&&... arguments) {
        if (!free_) grow();
        slot* const place = std::exchange(free_, free_->next_free);
        try {
            return *::new (static_cast<void*>(place)) T(std::forward<Arguments>(arguments)...);
        } catch (...) {
            free_ = ::new (static_cast<void*>(place)) slot{free_};
            throw;
        }
    }
    void destroy(T& gone) {
        gone.~T();
        free_ = ::new (static_cast<void*>(&gone)) slot{free_};
    }
    // An object of this pool that somebody takes over for a while.
    handle hold(T& object) { return handle(&object, {this}); }

  private:
    union slot {
        slot* next_free;
        alignas(T) std::byte room[sizeof(T)];
    };
    static constexpr std::size_t fewest_slots = 8, most_slots = 1024;

    void grow() {
        const std::size_t count = next_count_;
        slabs_.push_back(std::make_unique<slot[]>(count));
        next_count_ = std::min(2 * count, most_slots);
        slot* const added = slabs_.back().get();
        for (std::size_t i = count; i-- > 0;) {
            added[i].next_free = free_;
            free_ = &added[i];
        }
    }

    std::vector<std::unique_ptr<slot[]>> slabs_;
    std::size_t next_count_ = fewest_slots;  // most hosts of a lab have a message or two at a time
    slot* free_ = nullptr;
};

}  // namespace mta::qmgr
