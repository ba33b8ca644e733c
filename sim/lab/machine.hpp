// sim/lab/machine.hpp - one machine of a lab: its files, accounts, mailboxes and spool, in either world.
//
// What differs between the worlds - the clock, the network, DNS - is left to the two classes that derive from it.
#pragma once
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "mta/host.hpp"
#include "sim/lab/config_folder.hpp"
#include "sim/lab/memory_spool.hpp"
#include "sim/network/authority.hpp"
#include "sim/scenario/filter.hpp"
#include "sim/topology/model.hpp"
#include "sim/world/random.hpp"

namespace sim::lab {

// Where the lab's own files are on each machine. Run folders show them as $lab_files, $lab_tls and $lab_host.
inline constexpr std::string_view files_directory = "/etc/postfix";
inline constexpr std::string_view tls_directory = "/lab/tls";
inline constexpr std::string_view host_directory = "/lab/host";
inline constexpr std::string_view mailbox_directory = "/lab/host/mbox";

// `text` with $lab_files and $lab_tls written out.
std::string with_lab_paths(std::string_view text);
// And the other way round, for a run folder.
std::string without_lab_paths(std::string text);
// The files that the topology gives a host, by path; with them the tables that stand in for servers, and the
// environment of its programs (mta/table/open.hpp).
std::map<std::string, std::string, std::less<>> files_of(const topology::host& host);

struct mailbox {
    bool maildir = false;
    std::string text;                   // of an mbox file
    std::vector<std::string> messages;  // of a Maildir
};

// What a machine hands to whoever keeps the record.
class log_sink {
  public:
    virtual ~log_sink() = default;
    virtual void log(std::string_view host, const mta::maillog::entry& entry) = 0;
    virtual bool wants_commands() const = 0;
    // Whether commands of this machine may be run for a simulated one.
    virtual bool allows_real_commands() const = 0;
    // A content filter hands a message back to sendmail(1).
    virtual void hand_back(std::string_view host, unsigned uid, std::string sender, std::vector<std::string> recipients,
                           std::string text) = 0;
};

class machine : public mta::Host {
  public:
    machine(const topology::machine& what, const topology::host* host, std::uint64_t seed, int prefix,
            network::authority& authority, log_sink& sink);
    ~machine() override;

    std::string_view name() const override { return name_; }
    const mta::text::time_zone& time_zone() const override { return zone_; }
    mta::random_source& random(std::string_view purpose) override;
    std::vector<std::string> interfaces() const override;
    std::optional<std::string> read_file(std::string_view path) override;
    std::optional<mta::account> find_account(std::string_view name) override;
    std::optional<std::string> sasl_password(std::string_view user, std::string_view realm) override;
    mta::append_result append_to_mailbox(std::string_view path, const mta::account& owner, std::string_view text,
                                         std::size_t size_limit) override;
    mta::append_result store_in_maildir(std::string_view directory, const mta::account& owner,
                                        std::string_view text) override;
    std::optional<mta::endpoint> unix_socket(std::string_view path) override;
    mta::spool& queue_files() override { return spool_; }
    mta::task<mta::command_result> run(mta::command program) override;
    void log(const mta::maillog::entry& entry) override { sink_.log(name_, entry); }
    bool wants_commands() const override { return sink_.wants_commands(); }

    const mta::address::ip_address& address() const { return address_; }
    const std::map<std::string, mailbox, std::less<>>& mailboxes() const { return mailboxes_; }
    // Puts a file in place, or replaces it.
    void write_file(std::string path, std::string text) { files_[std::move(path)] = std::move(text); }

  private:
    bool has_directory(std::string_view path) const;
    bool has_program(std::string_view path) const;

    std::string name_;
    mta::address::ip_address address_;
    int prefix_;
    std::uint64_t seed_;
    mta::text::time_zone zone_;
    std::optional<topology::certificate> certificate_;
    std::optional<config_folder> config_folder_;  // of the topology's `config:`
    network::authority& authority_;
    log_sink& sink_;
    memory_spool spool_;
    std::map<std::string, std::unique_ptr<random_stream>, std::less<>> random_;
    std::map<std::string, std::string, std::less<>> files_;
    std::map<std::string, mta::account, std::less<>> accounts_;       // of this machine alone
    std::map<std::string, std::string, std::less<>> sasl_passwords_;  // by user
    std::map<std::string, mailbox, std::less<>> mailboxes_;           // by path
    std::vector<scenario::content_filter> filters_;
    std::map<std::string, mta::endpoint, std::less<>> sockets_;  // by path
};

}  // namespace sim::lab
