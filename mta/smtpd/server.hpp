// mta/smtpd/server.hpp - one SMTP server service: takes connections and gives each a session (smtpd(8)).
#pragma once
#include <memory>

#include "mta/anvil/anvil.hpp"
#include "mta/host.hpp"
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
    anvil::counters& traffic() { return traffic_; }

  private:
    task<void> serve(std::unique_ptr<byte_stream> stream, endpoint local, endpoint remote);
    master::mail_system& mail_;
    master::daemon& service_;
    settings settings_;
    smtpd::access access_;
    anvil::counters traffic_;
};

}  // namespace mta::smtpd
