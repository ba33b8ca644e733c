// mta/verify/cache.hpp - what is known of addresses that were asked about, and for how long (verify(8),
// ADDRESS_VERIFICATION_README).
//
// A value with no clock and no I/O. A good answer counts until it expires, and is asked about again before that; a bad
// one does not replace a good one that still counts, so that one failure does not shut out an address. Times are whole
// seconds, as they are in Postfix's database. Bounded: when it is full, what is first in order makes room.
#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "mta/async/scheduler.hpp"

namespace mta::verify {

enum class verdict : std::uint8_t { unknown, deliverable, deferred, undeliverable };

struct answer {
    verdict what = verdict::unknown;
    std::string text;  // the reason, as an agent gave it
};

struct cache_settings {
    duration positive_expire{}, positive_refresh{}, negative_expire{}, negative_refresh{};
    bool keeps_negative = true;
};

class cache {
  public:
    struct finding {
        answer told;
        bool wants_probe = false;
    };
    // The caller sends the probe that is wanted; until its answer, or for 1000 seconds, none is wanted again.
    finding ask(std::string_view address, time_point now, const cache_settings& how);
    void learn(std::string_view address, verdict found, std::string_view text, time_point now,
               const cache_settings& how);
    struct cleaned {
        std::size_t retained = 0, dropped = 0;
    };
    cleaned clean(time_point now, const cache_settings& how);
    void clear() { entries_.clear(); }

    // When clean() was last called, of those whose caches outlive their processes.
    time_point last_cleaned{};

  private:
    struct entry {
        verdict what = verdict::unknown;
        time_point probed{}, updated{};
        std::string text;
    };
    static bool expired(const entry& each, time_point now, const cache_settings& how);
    void keep(std::string_view address, entry what);
    std::map<std::string, entry, std::less<>> entries_;
};

}  // namespace mta::verify
