#include "sim/lab/virtual_machine.hpp"

namespace sim::lab {
namespace {

// resolv.conf's `options timeout:1 attempts:1`
constexpr mta::duration resolver_timeout = std::chrono::seconds(1);

}  // namespace

virtual_machine::virtual_machine(const topology::machine& what, const topology::host* host, std::uint64_t seed, int prefix,
                                 network::authority& authority, log_sink& sink, network::fabric& net, dns::server& names,
                                 mta::address::ip_address name_server)
    : machine(what, host, seed, prefix, authority, sink), net_(net), names_(names), name_server_(name_server) {
    net_.attach(address());
}

mta::task<mta::connect_result> virtual_machine::connect(mta::endpoint remote, std::optional<mta::address::ip_address> source,
                                                        mta::time_point deadline) {
    return net_.connect(address(), remote, source, deadline);
}

std::unique_ptr<mta::listener> virtual_machine::listen(mta::endpoint local, mta::accept_handler on_accept) {
    return net_.listen(address(), local, std::move(on_accept));
}

mta::task<mta::dns::response> virtual_machine::resolve(mta::dns::question question) {
    if (auto known = cache_.find(question, scheduler().now())) co_return std::move(*known);
    mta::dns::response unreachable;
    const auto one_way = net_.latency(address(), name_server_);
    if (!one_way) co_return unreachable;
    dns::reply reply = names_.answer(question, address().to_string());
    const mta::duration round_trip = 2 * *one_way;
    const mta::duration wait = reply.lost ? resolver_timeout : round_trip + reply.after;
    const bool late = reply.after + round_trip > resolver_timeout;
    const mta::duration until_known = late ? resolver_timeout : wait;
    co_await mta::sleep_for(scheduler(), until_known);
    if (late) co_return unreachable;
    if (!reply.lost) cache_.store(question, reply.response, scheduler().now());
    co_return std::move(reply.response);
}

}  // namespace sim::lab
