// Where mail for a user of this host ends: a mailbox, a command, another transport; and users that there are not
// (mailbox.c, maildir.c, file.c, command.c, unknown.c of local(8)).
#include <fmt/format.h>

#include "mta/address/quote.hpp"
#include "mta/address/resolve.hpp"
#include "mta/address/trivial_rewrite.hpp"
#include "mta/delivery/agents.hpp"
#include "mta/delivery/command.hpp"
#include "mta/delivery/local.hpp"
#include "mta/master/mail_system.hpp"
#include "mta/text/strings.hpp"

namespace mta::delivery {
namespace {

constexpr const char* nobody = "nobody";  // default_privs

}  // namespace

copy_addresses local_delivery::copy_about(const state& at) const {
    copy_addresses about;
    about.sender = at.sender;
    if (settings_.enable_original_recipient) about.original_to = at.who.original;
    about.delivered_to = at.delivered;
    return about;
}

task<std::optional<local_delivery::outcome>> local_delivery::deliver_mailbox(state at) {
    if (!first_time("mailbox " + at.local)) co_return outcome::done;
    const std::optional<outcome> passed =
        co_await pass_by(at, &tables_.mailbox_transports, settings_.mailbox_transport);
    if (passed) co_return *passed;
    const auto user = mail_.host().find_account(at.user);
    if (!user) co_return std::nullopt;
    at.rights = *user;
    std::string command = settings_.mailbox_command;
    if (!tables_.mailbox_commands.empty()) {
        const table::match found = tables_.mailbox_commands.find(at.user);
        for (const std::string& each : found.result.warnings) mail_.warn(account_.agent(), each);
        if (found.failed()) co_return account_for(at, {"4.3.0", "table lookup failure"});
        if (found.found()) command = found.result.value;
    }
    if (command.empty()) co_return deliver_to_user(at);
    const outcome ran = co_await deliver_command(at, command);
    co_return ran;
}

local_delivery::outcome local_delivery::deliver_to_user(const state& at) {
    mailbox to;
    to.owner = at.rights;
    to.size_limit = settings_.mailbox_limit;
    const std::string& spool = settings_.mail_spool_directory;
    if (!settings_.home_mailbox.empty()) {
        to.path = at.rights.home + "/" + settings_.home_mailbox;
    } else {
        to.path = spool.ends_with('/') ? spool + at.user + "/" : spool + "/" + at.user;
    }
    if (account_.is_probe())
        return account_for(at, {"2.0.0", to.maildir() ? "delivers to maildir" : "delivers to mailbox"});
    const unsigned flags = settings_.prepend_to_file ? copy_mbox : copy_mbox & ~copy_delivered_to;
    queue::delivery_status status = store(mail_.host(), to, *file().content, flags, copy_about(at), "5.2.0");
    if (status.dsn.empty()) {
        status = {"2.0.0", to.maildir() ? "delivered to maildir" : "delivered to mailbox"};
    } else {
        status.text = to.maildir()
                          ? "maildir delivery failed: " + status.text
                          : fmt::format("cannot update mailbox {} for user {}. {}", to.path, at.user, status.text);
    }
    return account_for(at, status);
}

local_delivery::outcome local_delivery::deliver_file(const state& at, const std::string& path) {
    if (!first_time(fmt::format("file {} {}", at.rights.uid, path))) return outcome::done;
    if (!settings_.files_from.contains(at.by)) return account_for(at, {"5.7.1", "mail to file is restricted"});
    mailbox to;
    to.path = path;
    if (account_.is_probe()) return account_for(at, {"2.0.0", "delivers to file: " + path});
    to.size_limit = settings_.mailbox_limit;
    to.owner = at.rights;
    if (to.owner.uid == 0) to.owner = mail_.host().find_account(nobody).value_or(account());
    const unsigned flags = settings_.prepend_to_file ? copy_mbox : copy_mbox & ~copy_delivered_to;
    if (path == null_device) return account_for(at, {"2.0.0", "delivered to file: " + path});
    queue::delivery_status status = store(mail_.host(), to, *file().content, flags, copy_about(at), "5.2.0");
    if (status.dsn.empty()) {
        status = {"2.0.0", to.maildir() ? "delivered to maildir" : "delivered to file: " + path};
        return account_for(at, status);
    }
    if (to.maildir()) {
        status.text = "maildir delivery failed: " + status.text;
    } else if (status.dsn == "5.2.0") {
        // The lock may fail here: what counts is that the file cannot be made.
        mail_.warn(account_.agent(), status.text);
        const auto reason = status.text.rfind(": ");
        status.text = fmt::format("cannot append message to file {}: cannot create file exclusively{}", path,
                                  status.text.substr(std::min(reason, status.text.size())));
    } else {
        status.text = fmt::format("cannot append message to file {}: {}", path, status.text);
    }
    return bounce_to_owner(at, status);
}

task<local_delivery::outcome> local_delivery::deliver_command(state at, std::string command_line) {
    if (!first_time(fmt::format("command {}:{} {}", at.user, at.rights.uid, command_line))) co_return outcome::done;
    if (account_.is_probe()) co_return account_for(at, {"2.0.0", "delivers to command: " + command_line});
    unsigned flags = copy_from_line | copy_return_path | copy_original_to;
    if (settings_.prepend_to_command) flags |= copy_delivered_to;
    command program;
    program.arguments = command_words(command_line);
    const bool bare = program.arguments.size() > 0 && program.arguments.front().find('/') == std::string::npos;
    program.user = at.rights.uid == 0 ? nobody : at.rights.name;
    program.input = std::make_shared<const std::string>(
        mail_copy(*file().content, flags, copy_about(at), mail_.now(), mail_.host().time_zone()));
    program.time_limit = settings_.command_time_limit;
    const std::string name = program.arguments.empty() ? "" : program.arguments.front();
    command again = program;
    command_result result = co_await mail_.host().run(std::move(program));
    if (result.how == command_result::outcome::not_found && bare) {
        // It may be one of the shell's own.
        again.arguments = {"/bin/sh", "-c", command_line};
        result = co_await mail_.host().run(std::move(again));
        if (result.how != command_result::outcome::exited) {
            constexpr int shell_found_none = 127;
            result.how = command_result::outcome::exited;
            result.exit_status = shell_found_none;
            result.output = fmt::format("sh: 1: {}: not found\n", name);
        }
    }
    if (result.how == command_result::outcome::not_found) {
        const std::string why = "execvp " + name;
        mail_.log(account_.agent(), {}, maillog::remark{maillog::level::fatal, why + ": No such file or directory"});
        result.output = "local: fatal: " + why;
    }
    queue::delivery_status status = command_status(result, command_line, "delivered to command: " + command_line);
    if (status.dsn.starts_with('2')) co_return account_for(at, status);
    co_return bounce_to_owner(at, status);
}

task<local_delivery::outcome> local_delivery::deliver_unknown(state at) {
    ++at.level;
    if (!first_time("deliver_unknown " + at.local)) co_return outcome::done;
    const std::optional<outcome> passed =
        co_await pass_by(at, &tables_.fallback_transports, settings_.fallback_transport);
    if (passed) co_return *passed;
    if (!settings_.luser_relay.empty()) {
        at.unmatched.reset();
        bool uses_extension = false;
        bool undefined = false;  // a name without a value is empty here
        const std::string relay = expanded(settings_.luser_relay, at, uses_extension, undefined, {});
        const std::string canonical = mail_.rewrite().rewrite(address::unquote_822_local(relay), true);
        // Who is to have the mail of unknown users is the one who is unknown.
        if (address::quote_822_local(canonical) == at.who.address) co_return unknown_user(at);
        const outcome sent = co_await deliver_address(at, relay);
        co_return sent;
    }
    if (at.user == "mailer-daemon" || at.user == "postmaster") {
        mail_.warn(account_.agent(), "required alias not found: " + at.user);
        co_return account_for(at, {"2.0.0", "discarded"});
    }
    co_return unknown_user(at);
}

local_delivery::outcome local_delivery::unknown_user(const state& at) {
    return account_for(at, {"5.1.1", fmt::format("unknown user: \"{}\"", at.user)});
}

task<std::optional<local_delivery::outcome>> local_delivery::pass_by(state at, const table::maps* maps,
                                                                     std::string transport) {
    if (!maps->empty()) {
        const table::match found = maps->find(at.user);
        for (const std::string& each : found.result.warnings) mail_.warn(account_.agent(), each);
        if (found.failed()) co_return account_for(at, {"4.3.0", "table lookup failure"});
        if (found.found()) transport = found.result.value;
    }
    if (transport.empty()) co_return std::nullopt;
    const outcome passed = co_await pass_on(std::move(at), std::move(transport));
    co_return passed;
}

// deliver_pass(3): another agent takes the recipient over, and logs what becomes of it.
task<local_delivery::outcome> local_delivery::pass_on(state at, std::string transport) {
    const auto where = address::split_transport(transport);
    account_.remark(fmt::format("passing <{}> to transport={}", at.who.address, where.transport));
    const maillog::process& self = account_.agent();
    co_await mail_.agents().reach(self, where.transport);
    request& work = account_.about();
    queue::recipient& who = work.file->recipients[at.index];
    queue::recipient kept = who;
    who.original = at.who.original;
    who.dsn_original = at.who.dsn_original;
    who.notify = at.who.notify;
    who.done = false;
    target to;
    to.index = at.index;
    to.address = at.who.address;
    std::string next_hop = where.next_hop.empty() ? work.next_hop : where.next_hop;
    co_await mail_.agents().pass_on(work, to, where.transport, std::move(next_hop));
    queue::recipient& after = work.file->recipients[at.index];
    const outcome result = after.done ? outcome::done : outcome::deferred;
    kept.delay = after.delay;
    kept.done = false;
    after = std::move(kept);
    co_return result;
}

}  // namespace mta::delivery
