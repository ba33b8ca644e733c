// mta/smtpd/server.hpp - one SMTP server service: takes connections and gives each a session (smtpd(8)).
#pragma once
#include <memory>
#include <set>

#include "mta/address/smtp_command.hpp"
#include "mta/anvil/anvil.hpp"
#include "mta/host.hpp"
#include "mta/master/process_pool.hpp"
#include "mta/smtpd/access.hpp"
#include "mta/smtpd/settings.hpp"

namespace mta::smtpd {

class server {
  public:
    server(master::mail_system& mail, master::daemon& service);
    ~server();
    void accept(std::unique_ptr<byte_stream> stream, const endpoint& local, const endpoint& remote);

    master::mail_system& mail() { return mail_; }
    const settings& options() const { return settings_; }
    smtpd::access& restrictions() { return access_; }
    anvil::counters& traffic();
    std::uint16_t port() const;
    // How commands read in a session that does not announce `discarded`.
    address::command_rules grammar(keyword_set discarded);
    // What a process says of its settings when it starts: once for each.
    void introduce(const maillog::process& by);

  private:
    task<void> serve(std::unique_ptr<byte_stream> stream, endpoint local, endpoint remote);
    task<bool> hold_back(byte_stream& stream);
    void bury(master::process_pool::lease& process, std::string_view how);
    master::mail_system& mail_;
    master::daemon& service_;
    settings settings_;
    smtpd::access access_;
    std::set<int> introduced_;      // by process id
    time_point throttled_until_{};  // master(8) does not start what just failed to start
};

}  // namespace mta::smtpd
