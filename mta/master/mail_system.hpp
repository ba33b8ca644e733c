// mta/master/mail_system.hpp - a whole Postfix on one host: starts its daemons, opens its ports, and ends them
// (master(8)).
//
// All a mail system has lives in this object and in its host's spool; two of them never see each other. The daemons
// find each other here, as Postfix's find each other's sockets. A daemon whose configuration is fatal logs that each
// time it is wanted, as Postfix's does, and the rest goes on.
#pragma once
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "mta/async/task.hpp"
#include "mta/cleanup/cleanup.hpp"
#include "mta/config/master_cf.hpp"
#include "mta/config/parameters.hpp"
#include "mta/host.hpp"
#include "mta/master/daemon.hpp"
#include "mta/table/registry.hpp"
#include "mta/tls/tls_stream.hpp"

namespace mta {

namespace address {
class trivial_rewrite;
}
namespace anvil {
class counters;
}
namespace bounce {
class bouncer;
}
namespace delivery {
class agents;
}
namespace postscreen {
class server;
struct cache_files;
}  // namespace postscreen
namespace qmgr {
class queue_manager;
}
namespace smtpd {
class server;
}
namespace verify {
class cache;
class verifier;
}  // namespace verify

namespace master {

struct configuration {
    config::parameters::pointer main;
    std::shared_ptr<const config::master_cf> services;
    std::string directory = "/etc/postfix";  // as logged at a start
};

// What the mail systems of one world share, so that equal tables and TLS settings are in memory once.
struct shared_state {
    table::registry tables;
    tls::context_cache tls_contexts;
    tls::key_log on_tls_key;  // optional
};

// A message as sendmail(1) takes it.
struct submission {
    std::string sender;
    std::vector<std::string> recipients;
    std::string content;  // as read from standard input, LF line ends
    unsigned uid = 0;
    std::vector<std::string> options;  // of the command line, "-t", "-N", ...
    submission() = default;
};
struct submission_result {
    int exit_status = 0;  // sysexits(3)
    std::string output;   // what the command prints
};

class mail_system {
  public:
    mail_system(Host& host, configuration settings, std::shared_ptr<shared_state> shared);
    ~mail_system();
    mail_system(const mail_system&) = delete;

    // postfix start, stop, reload. A stop ends every session where it is; what is queued stays in the spool. A reload
    // makes all daemons anew, but an SMTP server ends with its client and a delivery agent with its request.
    void start();
    void stop();
    void reload(configuration settings);
    bool running() const { return running_; }

    // sendmail(1) and postdrop(1): works while the mail system is stopped too; the message then waits in the maildrop.
    submission_result submit(submission message);
    // postsuper(1): -d, -r, -h, -H, -e, -f with ALL or queue ids, and the queues to look into.
    void superuser(const std::vector<std::string>& arguments);
    // postqueue -f
    void flush();

    // A message was put into the maildrop of the spool.
    void maildrop_arrived(const queue::message& file);

    // For the daemons.
    Host& host() { return host_; }
    scheduler& clock() { return host_.scheduler(); }
    time_point now() { return clock().now(); }
    const config::parameters& parameters() const { return *settings_.main; }
    const configuration& settings() const { return settings_; }
    shared_state& shared() { return *shared_; }
    // What the tables of a service with these parameters may ask of the host.
    table::environment table_environment(const config::parameters& service);
    nursery& tasks() { return *tasks_; }

    void log(const maillog::process& by, std::string_view queue_id, const maillog::event& what,
             std::uint64_t connection = 0);
    void log(const maillog::process& by, const table::diagnostic& of_table);  // when a process opens its tables
    // An address in the form of info_log_address_format.
    std::string as_logged(std::string_view internal) const;
    void warn(const maillog::process& by, std::string text, std::string_view queue_id = {});
    // One object for what many recipients in turn are told: a full queue costs little.
    std::shared_ptr<const queue::delivery_status> shared_status(const queue::delivery_status& status);
    // What a daemon with a fatal configuration logs, and what master(8) logs of its end.
    void daemon_failed(const daemon& which, const maillog::process& process, const config::fatal& why);
    // What master(8) alone logs of it; it throttles a service whose process did not survive its first client.
    void daemon_ended(const daemon& which, const maillog::process& process, bool throttles);
    // The same of the queue manager; the next one takes up the spool when master(8) starts it.
    void queue_manager_failed(const config::fatal& why);
    // Null when master.cf has no such unix service.
    daemon* transport(std::string_view name);
    std::deque<daemon>& daemons() { return daemons_; }
    // A process that is always there: qmgr, pickup, or one of a daemon that serves many at once: cleanup, bounce. It is
    // none of those that the service's process limit counts.
    const maillog::process& process_of(std::string_view program);
    // The same of one service by its name in master.cf, where several have that program (cleanup_service_name).
    const maillog::process& process_of(std::string_view program, std::string_view service);
    // One run of a command: sendmail, postdrop, postsuper.
    maillog::process command_process(std::string_view program);
    // A fresh queue id (enable_long_queue_ids).
    std::string new_queue_id(time_point arrived);
    bool soft_bounce() const { return soft_bounce_; }

    // What clients ask of the SMTP services; the process that counts it is there from now on for as long as they come.
    anvil::counters& anvil();
    cleanup::cleaner& cleanup() { return *cleanup_; }
    qmgr::queue_manager& queue_manager() { return *queue_manager_; }
    address::trivial_rewrite& rewrite() { return *rewrite_; }
    bounce::bouncer& bounce() { return *bounce_; }
    delivery::agents& agents() { return *agents_; }
    verify::verifier& verify() { return *verify_; }
    postscreen::cache_files& screened() { return *screened_; }
    // The `smtpd pass` service takes over a connection that postscreen(8) let in; false where master.cf has none.
    bool pass_to_smtpd(std::unique_ptr<byte_stream>& stream, const endpoint& local, const endpoint& remote);

  private:
    void start_daemons();
    void start_daemons_or_stop();
    void stop_daemons();
    void open_ports();
    void accept(daemon& by, std::unique_ptr<byte_stream> stream, const endpoint& local, const endpoint& remote);
    void screen(daemon& by, std::unique_ptr<byte_stream> stream, const endpoint& local, const endpoint& remote);
    void pick_up();
    void scan_maildrop();
    // True when the action was for this file.
    bool change_queue_file(const queue::message& file, char action);
    struct retired;
    void retire_daemons();
    task<void> run_anvil();
    void report_statistics();
    task<void> restart_queue_manager();
    void log_task_error(std::exception_ptr error);
    const maillog::process& resident(const daemon& which);

    Host& host_;
    configuration settings_;
    std::shared_ptr<shared_state> shared_;
    process_ids ids_;
    bool running_ = false;
    bool long_ids_ = false, soft_bounce_ = false, internal_addresses_ = false;
    std::unique_ptr<maillog::process> script_, master_;
    std::vector<queue::message> maildrop_;                 // the oldest first
    std::deque<daemon> daemons_;                           // in master.cf's order
    std::map<const daemon*, maillog::process> residents_;  // never gone through, so its order is no matter
    std::vector<std::unique_ptr<listener>> listeners_;
    std::unique_ptr<anvil::counters> anvil_;
    std::unique_ptr<nursery> anvil_run_;  // while its process is there
    std::unique_ptr<cleanup::cleaner> cleanup_;
    std::unique_ptr<address::trivial_rewrite> rewrite_;
    std::unique_ptr<bounce::bouncer> bounce_;
    std::unique_ptr<delivery::agents> agents_;
    std::unique_ptr<verify::cache> verified_;  // address_verify_map: as on a disk, it outlives a stop
    std::unique_ptr<verify::verifier> verify_;
    std::unique_ptr<postscreen::cache_files> screened_;  // postscreen_cache_map: outlives a stop, too
    // Both from the first connection on.
    std::map<const daemon*, std::unique_ptr<smtpd::server>> servers_;
    std::map<const daemon*, std::shared_ptr<postscreen::server>> doorkeepers_;
    std::vector<std::unique_ptr<byte_stream>> unanswered_;  // connections to servers that cannot start
    std::unique_ptr<qmgr::queue_manager> queue_manager_;
    std::vector<std::unique_ptr<qmgr::queue_manager>> dead_queue_managers_;  // agents may still work for them
    std::unique_ptr<nursery> queue_manager_restart_;
    std::shared_ptr<const queue::delivery_status> last_status_;
    std::unique_ptr<nursery> tasks_;  // after what its sessions use: all of the above
    // The daemons from before a reload, while they have a client or a request to finish; the oldest first.
    std::vector<std::unique_ptr<retired>> retired_;
};

}  // namespace master
}  // namespace mta
