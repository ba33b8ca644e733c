// sim/dns/cache.hpp - what one host's resolver remembers: answers by their TTL, absence by the SOA's (RFC 2308).
//
// A value with no clock: the time comes with each call and must not go backwards by more than the caller accepts (an
// entry from the future counts as fresh). Failures are not kept. At most `limit` answers are held; the one nearest to
// its end goes first, and of those with the same end the one stored first.
#pragma once
#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <utility>

#include "mta/dns.hpp"

namespace sim::dns {

struct cache_bounds {
    std::size_t limit = 10'000;                       // answers; 0 keeps none
    std::uint32_t longest_ttl_s = 7 * 24 * 3600;      // BIND's max-cache-ttl
    std::uint32_t longest_negative_ttl_s = 3 * 3600;  // BIND's max-ncache-ttl
};

class cache {
  public:
    using time_point = std::chrono::sys_time<std::chrono::nanoseconds>;

    explicit cache(cache_bounds limits = {}) : limits_(limits) {}

    // The answer as it was stored, with its TTLs less the whole seconds gone by; nothing when unknown or expired.
    std::optional<mta::dns::response> find(const mta::dns::question& question, time_point now) const;
    // Keeps ok, nxdomain and nodata; the shortest TTL of the whole chain counts.
    void store(const mta::dns::question& question, const mta::dns::response& answer, time_point now);
    void clear();
    std::size_t size() const { return entries_.size(); }

  private:
    using key = std::pair<std::string, mta::dns::record_type>;  // lower-case name
    struct entry {
        mta::dns::response answer;
        time_point stored;
        time_point end;
        std::uint64_t sequence = 0;
    };
    using ending = std::tuple<time_point, std::uint64_t, key>;

    void drop(std::map<key, entry>::iterator which);

    cache_bounds limits_;
    std::map<key, entry> entries_;
    std::set<ending> endings_;  // soonest first
    std::uint64_t next_sequence_ = 0;
};

}  // namespace sim::dns
