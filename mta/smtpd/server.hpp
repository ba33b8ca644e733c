// mta/smtpd/server.hpp - one SMTP server service: takes connections and gives each a session (smtpd(8)).
#pragma once
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "mta/address/smtp_command.hpp"
#include "mta/anvil/anvil.hpp"
#include "mta/host.hpp"
#include "mta/master/process_pool.hpp"
#include "mta/smtpd/access.hpp"
#include "mta/smtpd/settings.hpp"

namespace mta::smtpd {

inline constexpr const char* lookup_failed = "451 4.3.0 Temporary lookup error";
inline constexpr const char* undeclared_utf8 = "553 5.6.7 Must declare SMTPUTF8 to send unicode address";

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
    // The keywords that a client of this address is not told of; nothing when the table cannot tell, with its warnings.
    std::optional<keyword_set> discarded_for(const std::string& address, std::vector<std::string>& warnings) const;
    // The bytes that are free where they are too few for a message (queue_minfree, message_size_limit).
    std::optional<std::uint64_t> too_little_space();
    // smtpd_command_filter: the command in its place, if any. False: the lookup failed.
    bool filter(std::string& command, const peer& client, const maillog::process& by);
    // Whether the headers of the client's mail are rewritten as those of local mail (local_header_rewrite_clients).
    cleanup::local_clients::answer rewrites_headers_for(const access_facts& known,
                                                        std::vector<std::string>& warnings) const;
    // strict_smtputf8
    bool must_declare_utf8(std::string_view address, bool declared) const;
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
