#include "mta/postscreen/cache.hpp"

#include <algorithm>

namespace mta::postscreen {
namespace {
constexpr std::size_t most_entries = 100'000;
}

const expiry_times* cache::find(std::string_view address) const {
    const auto found = entries_.find(address);
    return found == entries_.end() ? nullptr : &found->second;
}

void cache::keep(std::string_view address, const expiry_times& times) {
    if (entries_.size() >= most_entries && !entries_.contains(address)) entries_.erase(entries_.begin());
    entries_.insert_or_assign(std::string(address), times);
}

cache::cleaned cache::clean(time_point now, duration retention) {
    last_cleaned = now;
    cleaned result;
    result.dropped = std::erase_if(entries_, [&](const auto& each) {
        return *std::max_element(each.second.begin(), each.second.end()) + retention < now;
    });
    result.retained = entries_.size();
    return result;
}

}  // namespace mta::postscreen
