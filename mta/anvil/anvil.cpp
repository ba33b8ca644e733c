#include "mta/anvil/anvil.hpp"

#include <algorithm>
#include <iterator>

namespace mta::anvil {

void counters::forget_old() {
    const time_point now = clock_.now();
    if (now < next_sweep_) return;
    std::erase_if(records_,
                  [&](const auto& each) { return each.second.open == 0 && each.second.start + time_unit_ < now; });
    next_sweep_ = now + time_unit_;
}

counters::record& counters::current(std::string_view service, std::string_view client) {
    record& found = records_.try_emplace({std::string(service), std::string(client)}).first->second;
    const time_point now = clock_.now();
    if (found.start + time_unit_ < now) {
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
    result.rate = ++of.rates[static_cast<std::size_t>(event::connection)];
    return result;
}

void counters::disconnect(std::string_view service, std::string_view client) {
    const auto found = records_.find({std::string(service), std::string(client)});
    if (found != records_.end() && found->second.open > 0) --found->second.open;
}

int counters::add(event what, std::string_view service, std::string_view client) {
    return ++current(service, client).rates[static_cast<std::size_t>(what)];
}

int counters::count(event what, std::string_view service, std::string_view client) const {
    const auto found = records_.find({std::string(service), std::string(client)});
    if (found == records_.end() || found->second.start + time_unit_ < clock_.now()) return 0;
    return found->second.rates[static_cast<std::size_t>(what)];
}

}  // namespace mta::anvil
