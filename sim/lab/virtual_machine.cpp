#include "sim/lab/virtual_machine.hpp"

namespace sim::lab {

virtual_machine::virtual_machine(const topology::machine& what, const topology::host* host, std::uint64_t seed,
                                 int prefix, network::authority& authority, log_sink& sink, network::fabric& net,
                                 dns::server& names, mta::address::ip_address name_server)
    : machine(what, host, seed, prefix, authority, sink), net_(net), name_server_(name_server), resolver_(names) {
    net_.attach(address());
}

mta::task<mta::connect_result> virtual_machine::connect(mta::endpoint remote,
                                                        std::optional<mta::address::ip_address> source,
                                                        mta::time_point deadline) {
    return net_.connect(address(), remote, source, deadline);
}

std::unique_ptr<mta::listener> virtual_machine::listen(mta::endpoint local, mta::accept_handler on_accept) {
    return net_.listen(address(), local, std::move(on_accept));
}

mta::task<mta::dns::response> virtual_machine::resolve(mta::dns::question question) {
    return resolver_.ask(scheduler(), std::move(question), address().to_string(),
                         net_.latency(address(), name_server_));
}

}  // namespace sim::lab
