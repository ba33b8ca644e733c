// mta/host.hpp - what a mail system asks of the machine it runs on, and nothing else.
//
// A mail system reads no clock, opens no socket or file, and draws no random number but through this. The virtual world
// and the live one both implement it; the mail system cannot tell them apart. Everything belongs to one thread.
#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mta/address/ip_address.hpp"
#include "mta/async/scheduler.hpp"
#include "mta/async/task.hpp"
#include "mta/dns.hpp"
#include "mta/maillog/event.hpp"
#include "mta/queue/queue_file.hpp"
#include "mta/random.hpp"
#include "mta/stream/byte_stream.hpp"
#include "mta/text/dates.hpp"

namespace mta {

struct endpoint {
    address::ip_address address;
    std::uint16_t port = 0;
};

struct connect_result {
    std::unique_ptr<byte_stream> stream;  // null when there is an error
    io_error error = io_error::none;
};

// An open port; closing it is destroying it.
class listener {
  public:
    virtual ~listener() = default;
};
// Called for each connection, before its first byte.
using accept_handler = std::function<void(std::unique_ptr<byte_stream>, const endpoint& local, const endpoint& remote)>;

// A row of passwd(5).
struct account {
    std::string name;
    unsigned uid = 0, gid = 0;
    std::string full_name, home;
};

// A program for pipe(8), local(8)'s |command or a policy service: argv, no shell.
struct command {
    std::vector<std::string> arguments;
    std::string user;
    std::shared_ptr<const std::string> input;
    duration time_limit{};
    command() = default;
};
struct command_result {
    enum class outcome : std::uint8_t { exited, timed_out, not_found, not_allowed };
    outcome how = outcome::exited;
    int exit_status = 0;  // sysexits(3)
    std::string output;   // stdout and stderr, as they came
    command_result() = default;
};

// The disk that queue files are on: what of a mail system outlives its processes. save() returns once the file is safe.
class spool {
  public:
    virtual ~spool() = default;
    virtual std::uint64_t new_inode() = 0;  // unique among the files of the spool
    // Writes a new file, or replaces the one with this id; the queue it is in is file->where.
    virtual void save(const queue::message& file) = 0;
    // A file of the spool is in another queue now: rename(2). A spool that holds the very object has nothing to do.
    virtual void moved(const queue::message& file) { save(file); }
    virtual void remove(std::string_view id) = 0;
    // All files, in order of id; for a start, and for postqueue and postsuper.
    virtual std::vector<queue::message> all() const = 0;
    virtual std::uint64_t free_bytes() const = 0;
};

enum class append_result : std::uint8_t { ok, no_permission, over_quota, disk_full, too_large, no_directory };

class Host {
  public:
    virtual ~Host() = default;

    virtual std::string_view name() const = 0;  // fully qualified
    virtual mta::scheduler& scheduler() = 0;
    time_point now() { return scheduler().now(); }
    virtual const text::time_zone& time_zone() const = 0;
    // A stream of its own for each purpose: "queue-id", "mx-order", "tls".
    virtual random_source& random(std::string_view purpose) = 0;

    // Network.
    virtual std::vector<std::string> interfaces() const = 0;  // "192.168.137.5/24", "127.0.0.1/8"
    // `source`: bind to this address, or to any. Fails no later than `deadline`.
    virtual task<connect_result> connect(endpoint remote, std::optional<address::ip_address> source,
                                         time_point deadline) = 0;
    // Null when the address is not ours or the port is taken.
    virtual std::unique_ptr<listener> listen(endpoint local, accept_handler on_accept) = 0;
    // Where a program that listens on a UNIX-domain socket is reached; `path` as main.cf writes it ("private/policy").
    // Nothing: there is no such socket.
    virtual std::optional<endpoint> unix_socket(std::string_view) { return std::nullopt; }
    virtual task<dns::response> resolve(dns::question question) = 0;

    // Files of the machine: tables, certificates, what main.cf and master.cf name.
    virtual std::optional<std::string> read_file(std::string_view path) = 0;
    virtual std::optional<account> find_account(std::string_view name) = 0;
    // The password of a SASL account (sasldblistusers2(8)), or nothing when there is no such account.
    virtual std::optional<std::string> sasl_password(std::string_view, std::string_view /*realm*/) {
        return std::nullopt;
    }
    // `size_limit`: of the whole file in bytes, or 0.
    virtual append_result append_to_mailbox(std::string_view path, const account& owner, std::string_view text,
                                            std::size_t size_limit) = 0;
    // Into DIRECTORY/new; the directories are made where they are missing.
    virtual append_result store_in_maildir(std::string_view directory, const account& owner, std::string_view text) = 0;
    virtual spool& queue_files() = 0;

    virtual task<command_result> run(command program) = 0;

    virtual void log(const maillog::entry& entry) = 0;
    // Whether anybody wants the events that are not in the maillog (commands): composing them costs.
    virtual bool wants_commands() const = 0;
};

}  // namespace mta
