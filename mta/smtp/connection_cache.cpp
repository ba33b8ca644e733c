#include "mta/smtp/connection_cache.hpp"

#include <algorithm>

namespace mta::smtp {
namespace {

constexpr std::size_t bindings_limit = 1000;  // destinations remembered before those of the past are swept out

}  // namespace

void connection_cache::keep(std::unique_ptr<connection> link, const std::string& endpoint,
                            const std::string& destination, duration how_long) {
    const time_point until = clock_.now() + how_long;
    if (!destination.empty()) {
        if (destinations_.size() >= bindings_limit)
            std::erase_if(destinations_, [&](const auto& each) { return each.second.until <= clock_.now(); });
        destinations_[destination] = {endpoint, until};
    }
    kept& fresh = connections_.emplace_back();
    fresh.owner = this;
    fresh.endpoint = endpoint;
    fresh.link = std::move(link);
    fresh.place = std::prev(connections_.end());
    clock_.arm(fresh, until);
}

std::unique_ptr<connection> connection_cache::take_by_endpoint(std::string_view endpoint) {
    const auto found = std::find_if(connections_.begin(), connections_.end(),
                                    [&](const kept& each) { return each.endpoint == endpoint; });
    if (found == connections_.end()) return nullptr;
    std::unique_ptr<connection> link = std::move(found->link);
    connections_.erase(found);
    return link;
}

std::unique_ptr<connection> connection_cache::take_by_destination(std::string_view destination) {
    const auto found = destinations_.find(destination);
    if (found == destinations_.end() || found->second.until <= clock_.now()) return nullptr;
    return take_by_endpoint(found->second.endpoint);
}

}  // namespace mta::smtp
