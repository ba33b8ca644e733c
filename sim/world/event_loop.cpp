#include "sim/world/event_loop.hpp"

#include <cstring>

namespace sim {

event_loop::stop event_loop::run_until(mta::time_point limit) {
    stopping_ = false;
    for (;;) {
        while (ready_.run_one()) {
            count_step();
            if (stopping_) return stop::asked;
        }
        if (timers_.empty()) {
            if (limit != mta::never && limit > now_) now_ = limit;
            return stop::quiescent;
        }
        if (timers_.earliest() > limit) {
            if (limit > now_) now_ = limit;
            return stop::reached;
        }
        now_ = timers_.earliest();
        count_step();
        note(static_cast<std::uint64_t>(now_.time_since_epoch().count()));
        if (keeps_trail_) trail_.push_back({now_, digest_});
        timers_.pop().expired();
        if (stopping_) return stop::asked;
    }
}

void event_loop::note(std::string_view text) {
    note(text.size());
    for (; text.size() >= 8; text.remove_prefix(8)) {
        std::uint64_t word;
        std::memcpy(&word, text.data(), 8);
        note(word);
    }
    std::uint64_t rest = 0;
    if (!text.empty()) std::memcpy(&rest, text.data(), text.size());  // an empty view may have no address
    note(rest);
}

}  // namespace sim
