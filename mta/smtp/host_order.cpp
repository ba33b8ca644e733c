#include "mta/smtp/host_order.hpp"

#include <algorithm>
#include <utility>

#include "mta/random.hpp"

namespace mta::smtp {
namespace {

// An insertion sort: few hosts, and equals keep their order.
template <typename Less>
void sort_hosts(std::vector<candidate>& hosts, Less less) {
    for (std::size_t i = 1; i < hosts.size(); ++i) {
        for (std::size_t j = i; j > 0 && less(hosts[j], hosts[j - 1]); --j) std::swap(hosts[j], hosts[j - 1]);
    }
}

// Up to `limit` hosts: half of them of each family, the odd one of the first one's if that is IPv4 and of IPv6 else,
// and what one family does not need goes to the other.
void balance(std::vector<candidate>& hosts, std::size_t limit) {
    const auto is_v6 = [](const candidate& each) { return each.is_v6(); };
    const auto v6 = static_cast<std::size_t>(std::count_if(hosts.begin(), hosts.end(), is_v6));
    const std::size_t v4 = hosts.size() - v6;
    if (limit == 0 || v4 == 0 || v6 == 0 || hosts.size() <= limit) return;
    const std::size_t half = limit / 2;
    const std::size_t odd_half = (limit + (hosts.front().is_v6() ? 0 : 1)) / 2;
    std::size_t v4_room = v6 <= half ? limit - v6 : v4 <= half ? v4 : odd_half;
    std::size_t v6_room = limit - v4_room;
    std::erase_if(hosts, [&](const candidate& each) {
        std::size_t& room = each.is_v6() ? v6_room : v4_room;
        if (room == 0) return true;
        --room;
        return false;
    });
}

}  // namespace

void sort_by_preference(std::vector<candidate>& hosts) {
    sort_hosts(hosts, [](const candidate& a, const candidate& b) { return a.preference < b.preference; });
}

void put_in_order(std::vector<candidate>& hosts, random_source& random, const address_order& order) {
    if (order.randomize) {
        for (std::size_t i = hosts.size(); i > 1; --i) std::swap(hosts[i - 1], hosts[random.below(i)]);
    }
    const bool v6_first = order.preferred == family_preference::ipv6;
    sort_hosts(hosts, [&](const candidate& a, const candidate& b) {
        if (a.preference != b.preference || order.preferred == family_preference::any) {
            return a.preference < b.preference;
        }
        return a.is_v6() != b.is_v6() && a.is_v6() == v6_first;
    });
    balance(hosts, order.balanced_limit);
}

}  // namespace mta::smtp
