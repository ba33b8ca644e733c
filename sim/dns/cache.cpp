#include "sim/dns/cache.hpp"

#include <algorithm>

#include "mta/text/strings.hpp"

namespace sim::dns {

using mta::dns::question;
using mta::dns::response;

namespace {

std::string plain(std::string_view name) {
    return mta::text::lowered(mta::dns::wire_sized(name).value_or(""));
}

}  // namespace

std::optional<response> cache::find(const question& question, time_point now) const {
    const auto found = entries_.find(key{plain(question.name), question.type});
    if (found == entries_.end() || found->second.end <= now) return std::nullopt;
    const entry& held = found->second;
    response answer = held.answer;
    const auto gone = std::chrono::floor<std::chrono::seconds>(std::max(now, held.stored) - held.stored).count();
    const auto age_s = static_cast<std::uint32_t>(gone);  // less than a TTL, as the entry has not ended
    for (auto& record : answer.answers) record.ttl_s -= std::min(record.ttl_s, age_s);
    answer.negative_ttl_s -= std::min(answer.negative_ttl_s, age_s);
    return answer;
}

void cache::store(const question& question, const response& answer, time_point now) {
    if (!mta::dns::wire_sized(question.name)) return;
    std::uint32_t ttl_s = limits_.longest_ttl_s;
    if (answer.not_found()) ttl_s = std::min(limits_.longest_negative_ttl_s, answer.negative_ttl_s);
    if (!answer.ok() && !answer.not_found()) ttl_s = 0;
    for (const auto& record : answer.answers) ttl_s = std::min(ttl_s, record.ttl_s);

    const key which{plain(question.name), question.type};
    if (const auto old = entries_.find(which); old != entries_.end()) drop(old);
    if (ttl_s == 0 || limits_.limit == 0) return;
    while (entries_.size() >= limits_.limit) drop(entries_.find(std::get<key>(*endings_.begin())));

    entry made;
    made.answer = answer;
    made.stored = now;
    made.end = now + std::chrono::seconds(ttl_s);
    made.sequence = next_sequence_++;
    endings_.emplace(made.end, made.sequence, which);
    entries_.emplace(which, std::move(made));
}

void cache::clear() {
    entries_.clear();
    endings_.clear();
}

void cache::drop(std::map<key, entry>::iterator which) {
    endings_.erase(ending{which->second.end, which->second.sequence, which->first});
    entries_.erase(which);
}

}  // namespace sim::dns
