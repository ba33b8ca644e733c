// mta/delivery/agents.hpp - which delivery agent a service of master.cf runs.
#pragma once
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "mta/async/task.hpp"
#include "mta/delivery/request.hpp"
#include "mta/host.hpp"
#include "mta/master/programs.hpp"

namespace mta::smtp {
class client;
}

namespace mta::delivery {

struct local_settings;

class agents {
  public:
    explicit agents(master::mail_system& mail);
    ~agents();

    // error, retry and discard do their work without waiting for anything.
    bool is_immediate(const master::daemon& service) const;
    void deliver_now(master::daemon& service, const maillog::process& process, request& work);
    task<void> deliver(master::daemon& service, const maillog::process& process, request& work);

    // Until master.cf's service of that name takes requests of `by`; agent_died when there is none for long
    // (mail_connect_wait(3)).
    task<void> reach(const maillog::process& by, std::string transport);
    // Has another transport, which can be reached, deliver one recipient of a request (deliver_pass(3)).
    task<void> pass_on(request& from, target to, std::string transport, std::string next_hop);

  private:
    // What is made for a service when it first delivers.
    struct agent {
        master::program program;
        std::unique_ptr<const status_filter> filter;
        std::unique_ptr<smtp::client> client;  // of smtp(8) and lmtp(8)
        std::unique_ptr<const local_settings> local;
    };
    agent& agent_of(const master::daemon& service);

    master::mail_system& mail_;
    std::map<const master::daemon*, agent> agents_;
};

// The agents that are functions. Each accounts for every target of the request.
void deliver_error(master::mail_system& mail, report& account);    // error(8), also as retry
void deliver_discard(master::mail_system& mail, report& account);  // discard(8)
task<void> deliver_local(master::mail_system& mail, const local_settings& settings, report& account);  // local(8)
void deliver_virtual(master::mail_system& mail, master::daemon& service, report& account);             // virtual(8)
task<void> deliver_pipe(master::mail_system& mail, master::daemon& service, report& account);          // pipe(8)

}  // namespace mta::delivery
