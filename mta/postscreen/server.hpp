// mta/postscreen/server.hpp - the doorkeeper in front of smtpd: looks at clients before a server process is spent on
// them (postscreen(8), POSTSCREEN_README).
//
// One service takes many clients at once. Each is let in, is turned away by a server of no more than a few replies, or
// goes through tests first; who passes is known for a time. The connection of a client that is let in goes to the
// `smtpd pass` service with all it has sent. Nothing a client does ends more than its own screening.
//
// What is known of clients is in a table that outlives the service, as the file of postscreen_cache_map does.
#pragma once
#include <map>
#include <memory>
#include <string>

#include "mta/host.hpp"
#include "mta/postscreen/settings.hpp"

namespace mta::postscreen {

class server : public std::enable_shared_from_this<server> {
  public:
    server(master::mail_system& mail, master::daemon& service);  // throws config::fatal
    void accept(std::unique_ptr<byte_stream> stream, const endpoint& local, const endpoint& remote);

    master::mail_system& mail() { return mail_; }
    const settings& options() const { return options_; }
    cache& memory() { return memory_; }
    const maillog::process& process() const { return process_; }
    int entered(const std::string& address);  // how many connections of this client there are now
    void left(const std::string& address);
    int screening() const { return screening_; }

  private:
    void clean_cache();
    master::mail_system& mail_;
    const settings options_;
    cache& memory_;
    const maillog::process& process_;
    std::map<std::string, int, std::less<>> clients_;
    int screening_ = 0;
};

}  // namespace mta::postscreen
