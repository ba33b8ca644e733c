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
    void log(const std::string& text);
    void accept(std::unique_ptr<byte_stream> stream, const endpoint& local, const endpoint& remote);

    master::mail_system& mail() { return mail_; }
    const settings& options() const { return options_; }
    cache& memory() { return memory_; }
    const maillog::process& process() const { return process_; }
    // What the connections of one client at a time share.
    struct client {
        int connections = 0, passed = 0;
        expiry_times expiry{};
    };
    client& entered(const std::string& address);
    void left(const std::string& address);
    // Connections that have gone neither to smtpd nor away; many of them are stress, which shortens what clients are
    // given.
    int screening() const { return screening_; }
    bool stressed() const { return stressed_; }
    void check_stress();
    duration limit(const under_load& values) const { return stressed_ ? values.stress : values.normal; }
    bool first_use_of_old_words() { return !std::exchange(used_old_words_, true); }
    bool first_use_of_tlsproxy() { return !std::exchange(used_tlsproxy_, true); }

  private:
    void clean_cache();
    master::mail_system& mail_;
    const settings options_;
    cache& memory_;
    const maillog::process& process_;
    std::map<std::string, client, std::less<>> clients_;
    int screening_ = 0;
    bool stressed_ = false, used_tlsproxy_ = false, used_old_words_ = false;
};

}  // namespace mta::postscreen
