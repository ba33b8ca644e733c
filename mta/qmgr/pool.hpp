// mta/qmgr/pool.hpp - room for the many small objects of the active queue: what one message leaves the next one takes.
//
// Objects of one kind lie side by side, in the order in which they were made. Tens of thousands of messages that are
// tried again and again in turn are read from memory in one sweep then, and none of it goes through the allocator. The
// room is kept until the pool ends; every object must have been given back by then, its destructor would not run.
#pragma once
#include <array>
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
    static constexpr std::size_t slots_at_once = 256;

    void grow() {
        slabs_.push_back(std::make_unique<std::array<slot, slots_at_once>>());
        std::array<slot, slots_at_once>& added = *slabs_.back();
        for (std::size_t i = added.size(); i-- > 0;) {
            added[i].next_free = free_;
            free_ = &added[i];
        }
    }

    std::vector<std::unique_ptr<std::array<slot, slots_at_once>>> slabs_;
    slot* free_ = nullptr;
};

}  // namespace mta::qmgr
