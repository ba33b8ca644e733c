#include "sim/world/event_loop.hpp"

#include <array>
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
    constexpr std::size_t word_size = sizeof(std::uint64_t), lanes = 4;
    // Several words at once, as each step waits for the one before.
    if (text.size() >= lanes * word_size) {
        std::array<std::uint64_t, lanes> side = {1, 2, 3, 4};
        for (; text.size() >= lanes * word_size; text.remove_prefix(lanes * word_size)) {
            std::array<std::uint64_t, lanes> words;
            std::memcpy(words.data(), text.data(), sizeof words);
            for (std::size_t i = 0; i < lanes; ++i) side[i] = next(side[i], words[i]);
        }
        for (const std::uint64_t each : side) note(each);
    }
    for (; text.size() >= word_size; text.remove_prefix(word_size)) {
        std::uint64_t word;
        std::memcpy(&word, text.data(), word_size);
        note(word);
    }
    std::uint64_t rest = 0;
    if (!text.empty()) std::memcpy(&rest, text.data(), text.size());  // an empty view may have no address
    note(rest);
}

}  // namespace sim
