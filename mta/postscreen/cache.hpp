// mta/postscreen/cache.hpp - when the results of a client's tests expire (postscreen_cache_map; postscreen_tests.c).
//
// Values with no clock and no I/O. A test that was never passed has no time; a client all of whose tests have a time
// that has not come yet is let in without another look. Bounded: what is first in order makes room.
#pragma once
#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "mta/async/scheduler.hpp"

namespace mta::postscreen {

enum class test : std::uint8_t { pregreet, dnsbl, pipelining, non_smtp_command, bare_newline };
inline constexpr std::size_t test_count = 5;

using expiry_times = std::array<time_point, test_count>;  // {}: never passed

class cache {
  public:
    const expiry_times* find(std::string_view address) const;
    void keep(std::string_view address, const expiry_times& times);
    struct cleaned {
        std::size_t retained = 0, dropped = 0;
    };
    // Drops clients all of whose results expired longer ago than `retention`.
    cleaned clean(time_point now, duration retention);
    void clear() { entries_.clear(); }

    time_point last_cleaned{};

  private:
    std::map<std::string, expiry_times, std::less<>> entries_;
};

// The tables of one mail system by their names (postscreen_cache_map): what a stop leaves.
struct cache_files {
    std::map<std::string, cache, std::less<>> by_name;
};

}  // namespace mta::postscreen
