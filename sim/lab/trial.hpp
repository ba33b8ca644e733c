// sim/lab/trial.hpp - one mail system to put questions to: nothing connects to it, nothing is sent, no time passes.
//
// A host of a topology, or a folder such as /etc/postfix. DNS is what the topology's zones say, answered at once; what
// no zone knows does not exist, and is told apart. Throws mta::config::fatal for a configuration that Postfix would not
// start with.
#pragma once
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "mta/master/mail_system.hpp"
#include "sim/dns/server.hpp"
#include "sim/lab/machine.hpp"
#include "sim/topology/model.hpp"
#include "sim/world/event_loop.hpp"

namespace sim::lab {

class trial_machine;

// A topology of one host whose configuration is `folder`. `address` is its own; `name` what gethostname(2) gives.
topology::topology topology_of_folder(const std::string& folder, const std::string& name, topology::address address,
                                      std::vector<topology::zone> zones);

class trial final : public log_sink {
  public:
    trial(const topology::topology& what, std::string_view host);
    ~trial() override;

    mta::master::mail_system& mail() { return *mail_; }
    mta::Host& host();
    const std::string& folder() const { return folder_; }  // of `config:`, or ""
    // The smtpd service that a client reaches: by the first column of its inet line ("smtp", "submission") or its port.
    // Behind postscreen it is the pass service. Null when there is none.
    mta::master::daemon* smtp_service(std::string_view name);
    // Runs to its end, whatever time that takes in the lab. Exceptions go through.
    void run(mta::task<void> work);

    // Warnings and worse that the mail system logged since the last call.
    std::vector<std::string> take_complaints();
    // Questions for the DNS since the start that no zone holds: "zen.example.org A".
    const std::set<std::string>& unknown_to_dns() const;

    // log_sink
    void log(std::string_view host, const mta::maillog::entry& entry) override;
    bool wants_commands() const override { return false; }
    bool allows_real_commands() const override { return false; }
    void hand_back(std::string_view, unsigned, std::string, std::vector<std::string>, std::string) override {}

  private:
    event_loop loop_;
    dns::server names_;
    network::authority authority_;
    std::string folder_;
    std::vector<std::string> complaints_;
    std::unique_ptr<trial_machine> machine_;
    std::unique_ptr<mta::master::mail_system> mail_;
};

}  // namespace sim::lab
