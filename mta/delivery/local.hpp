// mta/delivery/local.hpp - local(8): aliases, lists, forwarding and the mailboxes of this host's users.
//
// A recipient goes through alias_maps (the full local part, then without its extension), then to a user of the host:
// through the file that forward_path names, and at last into a mailbox. What an alias or forward file names may be an
// address, a file, a :include: list or a command. Addresses on other hosts, and those under a list's owner, go out in a
// new message.
#pragma once
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "mta/async/task.hpp"
#include "mta/delivery/request.hpp"
#include "mta/host.hpp"
#include "mta/table/maps.hpp"

namespace mta::config {
class parameters;
}

namespace mta::delivery {

struct local_settings {
    table::maps aliases;
    std::string myhostname, recipient_delimiter, mail_spool_directory, home_mailbox, mailbox_transport,
        fallback_transport, luser_relay, forward_path, mail_name;
    bool enable_original_recipient, prepend_delivered_to_file, prepend_delivered_to_forward, expand_owner, reset_owner,
        propagate_alias, propagate_forward;
    bool alias_to_command, alias_to_file, forward_to_command, forward_to_file;

    local_settings(master::mail_system& mail, const config::parameters& parameters);
};

// The delivery of one request. Addresses of one message are delivered once each, however many lists name them.
class local_delivery {
  public:
    local_delivery(master::mail_system& mail, master::daemon& service, const local_settings& settings, report& account);
    task<void> run();

  private:
    // Where one address is on its way through aliases and forward files (LOCAL_STATE).
    struct state {
        target to;  // as logged
        std::string local, user, extension, domain;
        std::string unmatched;     // of the extension, to be added to results
        std::string delivered_to;  // the recipient that all this began with
        std::string sender;        // of what is sent on: a list's owner, or the message's
        std::string owner;         // of the list this came from, or ""
        std::string came_from;     // the alias or user that named it
        bool from_include = false;
        bool is_part = false;  // of an expansion: the recipient itself is accounted for elsewhere
        int level = 0;
    };
    // What goes on to other hosts: one message for each sender.
    struct forward {
        std::vector<std::string> recipients;
    };
    enum class result : std::uint8_t { done, deferred, bounced };

    task<result> deliver(state at);
    task<result> deliver_user(state at);
    task<std::optional<result>> deliver_alias(state& at, std::string name);
    task<std::optional<result>> deliver_forward_file(state& at, const account& user);
    result deliver_mailbox(state& at, const account& user);
    result deliver_unknown(state& at);
    task<result> expand(state at, std::string text, bool from_forward);
    task<result> deliver_word(state at, std::string word, bool from_forward);
    task<result> deliver_include(state at, std::string path);
    task<result> deliver_command(state at, std::string command_line);
    result deliver_file(state& at, const std::string& path, const account& owner);
    task<result> pass_on(state at, std::string transport);
    result send_on(state& at);
    result finish_forward(const state& at, const std::string& key);
    void fill(state& at) const;
    result account_for(const state& at, const queue::delivery_status& status, std::string_view relay = "local",
                       std::string_view action = "delivered");
    std::string alias_owner(const std::string& name) const;

    master::mail_system& mail_;
    master::daemon& service_;
    const local_settings& settings_;
    report& account_;
    std::set<std::string> seen_;                // "alias x", "user y", "file z": been_here(3)
    std::set<std::string> delivered_to_;        // the message's own Delivered-To headers, lower case
    std::map<std::string, forward> forwards_;   // by the expansion they belong to
    std::vector<std::string> current_forward_;  // the expansions that are being worked on, outermost first
};

// The right-hand side of an alias, or the text of a forward file, as single words (aliases(5)).
std::vector<std::string> alias_words(std::string_view text);

}  // namespace mta::delivery
