// sim/lab/stub_resolver.hpp - a machine's resolver: asks the lab's name server once, and remembers what it said for as
// long as the machine has a way to it.
//
// As resolv.conf with `options timeout:1 attempts:1`. Both worlds use it; how far away the server is comes with each
// call.
#pragma once
#include <optional>
#include <string>

#include "mta/async/scheduler.hpp"
#include "mta/async/task.hpp"
#include "sim/dns/cache.hpp"
#include "sim/dns/server.hpp"

namespace sim::lab {

class stub_resolver {
  public:
    explicit stub_resolver(const dns::server& names) : names_(names) {}

    // `one_way`: the time a packet needs; nothing where none gets through, which is an answer of its own.
    mta::task<mta::dns::response> ask(mta::scheduler& clock, mta::dns::question question, std::string client,
                                      std::optional<mta::duration> one_way);
    void forget() { cache_.clear(); }

  private:
    const dns::server& names_;
    dns::cache cache_;
};

}  // namespace sim::lab
