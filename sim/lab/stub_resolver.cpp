#include "sim/lab/stub_resolver.hpp"

namespace sim::lab {
namespace {

constexpr mta::duration timeout = std::chrono::seconds(1);

}  // namespace

mta::task<mta::dns::response> stub_resolver::ask(mta::scheduler& clock, mta::dns::question question, std::string client,
                                                 std::optional<mta::duration> one_way) {
    mta::dns::response unreachable;
    if (!one_way) co_return unreachable;  // whoever remembers it is not on this machine
    if (auto known = cache_.find(question, clock.now())) co_return std::move(*known);
    dns::reply reply = names_.answer(question, client);
    const mta::duration round_trip = 2 * *one_way;
    const bool late = reply.after + round_trip > timeout;
    const mta::duration wait = reply.lost || late ? timeout : round_trip + reply.after;
    co_await mta::sleep_for(clock, wait);
    if (late) co_return unreachable;
    if (!reply.lost) cache_.store(question, reply.response, clock.now());
    co_return std::move(reply.response);
}

}  // namespace sim::lab
