// mta/delivery/local.hpp - local(8): aliases, lists, forwarding and the mailboxes of this host's users.
//
// A recipient goes through alias_maps (the full local part, then without its extension), then to a user of the host:
// through the file that forward_path names, and at last into a mailbox. What an alias or forward file names may be an
// address, a file, a :include: list or a command. Addresses on other hosts, and those under a list's owner, go out in a
// new message. Nesting is bounded, and so are the addresses of one message: each is delivered to once.
#pragma once
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "mta/address/token.hpp"
#include "mta/async/task.hpp"
#include "mta/delivery/mailbox.hpp"
#include "mta/delivery/request.hpp"
#include "mta/host.hpp"
#include "mta/table/maps.hpp"
#include "mta/table/open.hpp"

namespace mta::config {
class parameters;
}

namespace mta::delivery {

// What named an address: alias_maps, a :include: file or a forward file, or nothing.
enum class expansion : std::uint8_t { none, alias, include, forward };

struct local_settings {
    std::string alias_maps, mailbox_transport_maps, fallback_transport_maps, mailbox_command_maps;
    std::string myhostname, recipient_delimiter, mail_spool_directory, home_mailbox, mailbox_transport,
        fallback_transport, mailbox_command, luser_relay, forward_path, forward_filter, mail_name;
    bool enable_original_recipient, expand_owner, reset_owner, owner_special, frozen_delivered_to;
    bool prepend_to_file, prepend_to_command, prepend_to_forward;  // prepend_delivered_header
    bool propagate_alias, propagate_forward;
    std::set<expansion> commands_from, files_from;  // allow_mail_to_commands, allow_mail_to_files
    std::size_t mailbox_limit;
    duration command_time_limit;

    table::environment tables_environment;

    // Throws config::fatal on what local(8) does not start with.
    local_settings(master::mail_system& mail, const config::parameters& parameters);
};

// Opened for each request: files may have changed since the last one.
struct local_tables {
    table::maps aliases, mailbox_transports, fallback_transports, mailbox_commands;

    local_tables(master::mail_system& mail, const local_settings& settings, const maillog::process& by);
};

// The delivery of one request.
class local_delivery {
  public:
    local_delivery(master::mail_system& mail, const local_settings& settings, const local_tables& tables,
                   report& account);
    task<void> run();

  private:
    // Where one address is on its way through aliases and forward files (LOCAL_STATE): passed on by value, so that
    // what is inside an expansion changes nothing outside of it.
    struct state {
        queue::recipient who;  // as logged and reported: the address changes, what it was called first does not
        std::size_t index = 0;
        std::string local, user, domain;
        std::optional<std::string> extension, unmatched;  // the latter: to be added to results
        std::string delivered;                            // the recipient that all this began with, or ""
        std::string sender;                               // the message's, or that of a list's owner
        std::optional<std::string> owner;                 // who forwards: a list's owner, the user of a forward file
        std::string expanded_from;                        // the alias or user that named it, or ""
        expansion by = expansion::none;
        account rights;  // of commands and files; uid 0: nobody's in particular
        int level = 0;
    };
    // done: delivered or bounced; deferred: all of the recipient is tried again.
    using outcome = part_result;

    // local.cpp
    task<outcome> deliver_recipient(state at);
    task<outcome> deliver_switch(state at);
    outcome account_for(const state& at, const queue::delivery_status& status, std::string_view action = "delivered");
    outcome bounce_to_owner(state at, const queue::delivery_status& status);
    std::optional<outcome> find_owner(state& at, bool& found);
    bool first_time(const std::string& what) { return seen_.insert(what).second; }

    // local_alias.cpp
    task<std::optional<outcome>> deliver_alias(state at, std::string name);
    task<std::optional<outcome>> deliver_forward_file(state at);
    std::optional<std::string> find_forward_file(state& at);
    task<outcome> deliver_include(state at, std::string path);
    task<outcome> deliver_lines(state at, std::string text);
    task<outcome> deliver_list(state at, std::string text);
    task<outcome> deliver_token(state at, address::token named);
    task<outcome> deliver_address(state at, std::string external);
    std::string expanded(std::string_view text, const state& at, bool& uses_extension, bool& undefined,
                         std::string_view filter) const;

    // local_mailbox.cpp
    task<std::optional<outcome>> deliver_mailbox(state at);
    outcome deliver_to_user(const state& at);
    task<outcome> deliver_unknown(state at);
    outcome unknown_user(const state& at);
    task<outcome> deliver_command(state at, std::string command_line);
    outcome deliver_file(const state& at, const std::string& path);
    copy_addresses copy_about(const state& at) const;
    // Another transport by a table or a parameter takes over; nothing where neither names one.
    task<std::optional<outcome>> pass_by(state at, const table::maps* maps, std::string transport);
    task<outcome> pass_on(state at, std::string transport);

    // local_forward.cpp
    outcome send_on(const state& at);
    outcome finish_forwards(const state& at, outcome so_far);
    outcome send_message(const state& at, const std::string& delivered, const std::string& sender,
                         std::vector<queue::recipient> recipients);

    const queue::queue_file& file() const { return *account_.about().file; }

    master::mail_system& mail_;
    const local_settings& settings_;
    const local_tables& tables_;
    report& account_;
    std::set<std::string> seen_;  // been_here(3), of one recipient
    // What goes on in new messages: one for each recipient that it is for and each sender.
    std::map<std::pair<std::string, std::string>, std::vector<queue::recipient>> forwards_;
    std::size_t addresses_ = 0;  // that expansions gave so far
};

}  // namespace mta::delivery
