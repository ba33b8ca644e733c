#include "mta/verify/cache.hpp"

#include <iterator>

namespace mta::verify {
namespace {

constexpr duration probe_lifetime = std::chrono::seconds(1000);  // after which a probe without an answer is forgotten
constexpr std::size_t most_entries = 100'000;

time_point in_seconds(time_point when) {
    return std::chrono::floor<std::chrono::seconds>(when);
}

}  // namespace

bool cache::expired(const entry& each, time_point now, const cache_settings& how) {
    const bool good = each.what == verdict::deliverable;
    return now - each.probed > probe_lifetime &&
           each.updated + (good ? how.positive_expire : how.negative_expire) < now;
}

void cache::keep(std::string_view address, entry what) {
    if (entries_.size() >= most_entries && !entries_.contains(address)) entries_.erase(entries_.begin());
    entries_.insert_or_assign(std::string(address), std::move(what));
}

cache::finding cache::ask(std::string_view address, time_point now, const cache_settings& how) {
    now = in_seconds(now);
    const auto found = entries_.find(address);
    entry known;
    if (found != entries_.end() && !expired(found->second, now, how)) {
        known = found->second;
    } else {
        known.text = "Address verification in progress";
        if (found != entries_.end() && !how.keeps_negative) entries_.erase(found);
    }
    finding result{{known.what, known.text}, false};
    const bool good = known.what == verdict::deliverable;
    result.wants_probe = now - known.probed > probe_lifetime &&
                         known.updated + (good ? how.positive_refresh : how.negative_refresh) < now;
    if (result.wants_probe && (known.updated != time_point{} || how.keeps_negative)) {
        known.probed = now;
        keep(address, std::move(known));
    }
    return result;
}

void cache::learn(std::string_view address, verdict found, std::string_view text, time_point now,
                  const cache_settings& how) {
    now = in_seconds(now);
    if (found != verdict::deliverable) {
        const auto known = entries_.find(address);
        if (known != entries_.end() && known->second.what == verdict::deliverable && !expired(known->second, now, how))
            return;
    }
    keep(address, {found, {}, now, std::string(text)});
}

cache::cleaned cache::clean(time_point now, const cache_settings& how) {
    cleaned result;
    last_cleaned = now;
    now = in_seconds(now);
    for (auto at = entries_.begin(); at != entries_.end();) {
        const auto next = std::next(at);
        if (expired(at->second, now, how)) {
            entries_.erase(at);
            ++result.dropped;
        } else {
            ++result.retained;
        }
        at = next;
    }
    return result;
}

}  // namespace mta::verify
