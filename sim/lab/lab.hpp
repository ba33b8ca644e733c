// sim/lab/lab.hpp - a topology made to run: machines with mail systems on them, scripted servers, DNS, certificates,
// and the record of it all. What the virtual and the live lab have in common.
#pragma once
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "mta/master/mail_system.hpp"
#include "sim/dns/server.hpp"
#include "sim/lab/evidence.hpp"
#include "sim/lab/machine.hpp"
#include "sim/lab/mail_configuration.hpp"
#include "sim/lab/recorder.hpp"
#include "sim/record/capture.hpp"
#include "sim/record/run_folder.hpp"
#include "sim/scenario/lab.hpp"
#include "sim/scenario/player.hpp"
#include "sim/scenario/policy_server.hpp"
#include "sim/scenario/scripted_server.hpp"
#include "sim/topology/model.hpp"

namespace sim::lab {

struct options {
    std::uint64_t seed = 1;
    recorder::options record;
    mta::tls::key_log on_tls_key;
    bool allow_commands = false;  // pipe(8) and "|command" may run commands of this machine
    options() = default;
};

class lab : public scenario::lab, public log_sink {
  public:
    ~lab() override;

    // scenario::lab
    mta::Host& machine(std::string_view name) override;
    mta::address::ip_address address_of(std::string_view name) override;
    scenario::stream_upgrade client_tls(std::string_view machine) override;
    mta::task<void> submit(std::string_view host, scenario::submission message) override;
    mta::task<void> control(std::string_view host, scenario::host_action action) override;
    mta::task<void> superuser(std::string_view host, std::vector<std::string> arguments) override;
    void play_script(std::string_view server, const scenario::script& next) override;
    void replace_zone(std::string_view name, const std::string& text) override;
    mta::time_point last_log_growth() const override;
    const scenario::evidence& evidence() const override;

    // Plays until the scenario is over, or until the world's time has come to `until` after now. False: it was cut.
    bool play(scenario::player& what, std::optional<mta::duration> until);

    mta::master::mail_system& mail_system(std::string_view host);
    const topology::topology& topology() const { return topology_; }
    sim::lab::recorder& recorder() { return recorder_; }
    // What DNS and configuration had to say while the lab was built: "zone york.cc, line 2: ...".
    const std::vector<std::string>& complaints() const { return complaints_; }

    // The run folder's contents, as they are now.
    record::run_results results(const scenario::player& played);
    // Mailboxes under the mail spool directory, by user; a scripted server's is "received".
    std::vector<record::mailbox_text> mailboxes_of(std::string_view machine);
    // What the invariants of mail say of the end; empty when nothing was lost.
    std::vector<scenario::violation> violations();

  protected:
    lab(const topology::topology& what, const options& choice, mta::time_point epoch);
    // Called by the worlds once they can make machines.
    void add_machines();
    virtual std::unique_ptr<sim::lab::machine> make_machine(const topology::machine& what,
                                                            const topology::host* host) = 0;
    virtual void zones_changed() {}
    // The world's loop: until `limit`, until nothing can happen any more, or until it is asked to stop.
    virtual void run_world(mta::time_point limit) = 0;
    virtual void stop_world() = 0;
    // Ends all sessions and machines, while the world they wait in is still there.
    void close();

    // log_sink
    void log(std::string_view host, const mta::maillog::entry& entry) override;
    bool wants_commands() const override { return recorder_.wants_commands(); }
    bool allows_real_commands() const override { return options_.allow_commands; }
    void hand_back(std::string_view host, unsigned uid, std::string sender, std::vector<std::string> recipients,
                   std::string text) override;
    virtual void noted(std::string_view) {}

    const topology::topology& topology_;
    options options_;
    network::authority authority_;
    dns::server names_;
    known_services services_;

  private:
    scenario::stream_upgrade server_tls(sim::lab::machine& of);
    mta::task<std::unique_ptr<mta::byte_stream>> secure(sim::lab::machine& of, std::unique_ptr<mta::byte_stream> lower,
                                                        mta::tls::side side);
    std::vector<std::string> complaints_;
    sim::lab::recorder recorder_;
    std::shared_ptr<mta::master::shared_state> shared_;
    mta::tls::context_cache tls_contexts_;  // of dialogues and scripted servers
    std::map<std::string, std::unique_ptr<sim::lab::machine>, std::less<>> machines_;
    std::map<std::string, std::unique_ptr<mta::master::mail_system>, std::less<>> systems_;
    std::map<std::string, std::unique_ptr<scenario::scripted_server>, std::less<>> servers_;
    // By the machine they are on: a server has one, and a host's start with its mail system for the first time.
    std::multimap<std::string, scenario::policy_server, std::less<>> policies_;
    refusal_collector refusals_;
    lab_evidence evidence_;
};

// 20 November 2026, 09:00 UTC: when every virtual run begins, so that logs of two runs can be held side by side.
mta::time_point virtual_epoch();

}  // namespace sim::lab
