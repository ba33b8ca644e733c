// sim/lab/virtual_machine.hpp - a machine of the virtual world: virtual time, the simulated network, the lab's DNS.
#pragma once
#include "sim/lab/machine.hpp"
#include "sim/lab/stub_resolver.hpp"
#include "sim/network/network.hpp"

namespace sim::lab {

class virtual_machine final : public machine {
  public:
    virtual_machine(const topology::machine& what, const topology::host* host, std::uint64_t seed, int prefix,
                    network::authority& authority, log_sink& sink, network::fabric& net, dns::server& names,
                    mta::address::ip_address name_server);

    mta::scheduler& scheduler() override { return net_.loop(); }
    mta::task<mta::connect_result> connect(mta::endpoint remote, std::optional<mta::address::ip_address> source,
                                           mta::time_point deadline) override;
    std::unique_ptr<mta::listener> listen(mta::endpoint local, mta::accept_handler on_accept) override;
    mta::task<mta::dns::response> resolve(mta::dns::question question) override;

    void forget_names() { resolver_.forget(); }

  private:
    network::fabric& net_;
    mta::address::ip_address name_server_;
    stub_resolver resolver_;
};

}  // namespace sim::lab
