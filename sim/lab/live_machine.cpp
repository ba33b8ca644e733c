#include "sim/lab/live_machine.hpp"

namespace sim::lab {

live_machine::live_machine(const topology::machine& what, const topology::host* host, std::uint64_t seed, int prefix,
                           network::authority& authority, log_sink& sink, network::real_network& net,
                           const dns::server& names, mta::address::ip_address name_server)
    : machine(what, host, seed, prefix, authority, sink), net_(net), name_server_(name_server), resolver_(names) {
    net_.attach(address());
}

mta::task<mta::connect_result> live_machine::connect(mta::endpoint remote,
                                                     std::optional<mta::address::ip_address> source,
                                                     mta::time_point deadline) {
    return net_.connect(address(), remote, source, deadline);
}

std::unique_ptr<mta::listener> live_machine::listen(mta::endpoint local, mta::accept_handler on_accept) {
    return net_.listen(address(), local, std::move(on_accept));
}

// Asked within the process, but only where a packet would get through.
mta::task<mta::dns::response> live_machine::resolve(mta::dns::question question) {
    std::optional<mta::duration> one_way;
    if (net_.reaches(address(), name_server_)) one_way = mta::duration(0);
    return resolver_.ask(scheduler(), std::move(question), address().to_string(), one_way);
}

}  // namespace sim::lab
