#include "mta/anvil/anvil.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <iterator>

#include "mta/text/dates.hpp"

namespace mta::anvil {
namespace {

// In the order of `event`, and in that of the log, where the count of connections comes second.
constexpr std::string_view names[] = {"connection", "message", "recipient", "newtls", "auth"};

}  // namespace

void counters::note(maximum& most, int number, std::string_view service, std::string_view client) {
    if (number <= most.number) return;
    most = {number, fmt::format("{}:{}", service, client), clock_.now()};
}

void counters::forget_old() {
    const time_point now = clock_.now();
    for (; !leaving_.empty() && leaving_.front().first <= now; leaving_.pop_front()) {
        const auto found = records_.find(leaving_.front().second);
        if (found == records_.end() || found->second.open > 0) continue;
        if (found->second.left + time_unit_ < now) records_.erase(found);
    }
}

counters::record& counters::current(std::string_view service, std::string_view client) {
    const auto [at, is_new] = records_.try_emplace({std::string(service), std::string(client)});
    record& found = at->second;
    const time_point now = clock_.now();
    if (is_new) {
        // Without a connection, as a test has it, it is forgotten all the same.
        found.left = now;
        leaving_.emplace_back(now + time_unit_ + duration(1), at->first);
        if (static_cast<int>(records_.size()) > cache_.number) cache_ = {static_cast<int>(records_.size()), {}, now};
    }
    if (is_new || found.start + time_unit_ < now) {
        std::fill(std::begin(found.rates), std::end(found.rates), 0);
        found.start = now;
    }
    return found;
}

counters::connected counters::connect(std::string_view service, std::string_view client) {
    forget_old();
    record& of = current(service, client);
    connected result;
    result.open = ++of.open;
    result.rate = add(event::connection, service, client);
    note(connections_, result.open, service, client);
    ++open_;
    return result;
}

void counters::disconnect(std::string_view service, std::string_view client) {
    const auto found = records_.find({std::string(service), std::string(client)});
    if (found == records_.end() || found->second.open == 0) return;
    const time_point now = clock_.now();
    if (--found->second.open == 0) {
        found->second.left = now;
        leaving_.emplace_back(now + time_unit_ + duration(1), found->first);
    }
    if (--open_ == 0) idle_since_ = now;
}

int counters::add(event what, std::string_view service, std::string_view client) {
    const auto which = static_cast<std::size_t>(what);
    const int rate = ++current(service, client).rates[which];
    note(rates_[which], rate, service, client);
    return rate;
}

int counters::count(event what, std::string_view service, std::string_view client) const {
    const auto found = records_.find({std::string(service), std::string(client)});
    if (found == records_.end() || found->second.start + time_unit_ < clock_.now()) return 0;
    return found->second.rates[static_cast<std::size_t>(what)];
}

std::vector<std::string> counters::take_statistics(const text::time_zone& zone) {
    std::vector<std::string> lines;
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(time_unit_).count();
    const auto tell = [&](const maximum& most, std::string_view what) {
        if (most.number == 0) return;
        lines.push_back(
            fmt::format("statistics: max {} for ({}) at {}", what, most.who, text::syslog_stamp(most.when, zone)));
    };
    for (std::size_t i = 0; i < rates_.size(); ++i) {
        tell(rates_[i], fmt::format("{} rate {}/{}s", names[i], rates_[i].number, seconds));
        if (i == 0) tell(connections_, fmt::format("connection count {}", connections_.number));
    }
    if (cache_.number > 0) {
        lines.push_back(
            fmt::format("statistics: max cache size {} at {}", cache_.number, text::syslog_stamp(cache_.when, zone)));
    }
    rates_ = {};
    connections_ = cache_ = {};
    return lines;
}

}  // namespace mta::anvil
