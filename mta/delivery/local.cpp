#include "mta/delivery/local.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "mta/address/quote.hpp"
#include "mta/address/token.hpp"
#include "mta/address/trivial_rewrite.hpp"
#include "mta/cleanup/cleanup.hpp"
#include "mta/cleanup/message_headers.hpp"
#include "mta/delivery/agents.hpp"
#include "mta/delivery/mailbox_text.hpp"
#include "mta/master/mail_system.hpp"
#include "mta/table/registry.hpp"
#include "mta/text/strings.hpp"

namespace mta::delivery {
namespace {

constexpr int deepest_expansion = 100;              // of aliases within aliases
constexpr std::size_t longest_expansion = 100'000;  // addresses of one expansion

bool has_word(const std::vector<std::string>& words, std::string_view word) {
    return std::find(words.begin(), words.end(), word) != words.end();
}

struct mailbox_place {
    std::string path;
    bool maildir = false;
};

mailbox_place place_for(const local_settings& settings, const account& user) {
    mailbox_place place;
    if (!settings.home_mailbox.empty()) {
        place.path = user.home + "/" + settings.home_mailbox;
    } else {
        const bool slash = !settings.mail_spool_directory.empty() && settings.mail_spool_directory.back() == '/';
        place.path = settings.mail_spool_directory + (slash ? "" : "/") + user.name + (slash ? "/" : "");
    }
    place.maildir = !place.path.empty() && place.path.back() == '/';
    return place;
}

queue::delivery_status store(master::mail_system& mail, const mailbox_place& place, const account& user,
                             std::string_view text) {
    const append_result stored = place.maildir ? mail.host().store_in_maildir(place.path, user, text)
                                               : mail.host().append_to_mailbox(place.path, user, text);
    const std::string what = fmt::format("cannot update mailbox {} for user {}.", place.path, user.name);
    switch (stored) {
        case append_result::ok:
            return {"2.0.0", place.maildir ? "delivered to maildir" : "delivered to mailbox"};
        case append_result::over_quota:
            return {"5.2.2", what + " error writing message: Disk quota exceeded"};
        case append_result::disk_full:
            return {"4.3.0", what + " error writing message: No space left on device"};
        case append_result::no_permission:
            break;
    }
    return {"4.2.0", what + " unable to open: Permission denied"};
}

}  // namespace

local_settings::local_settings(master::mail_system& mail, const config::parameters& p)
    : myhostname(p.text("myhostname")),
      recipient_delimiter(p.text("recipient_delimiter")),
      mail_spool_directory(p.text("mail_spool_directory")),
      home_mailbox(p.text("home_mailbox")),
      mailbox_transport(p.text("mailbox_transport")),
      fallback_transport(p.text("fallback_transport")),
      luser_relay(p.text("luser_relay")),
      forward_path(p.text("forward_path")),
      mail_name(p.text("mail_name")),
      expand_owner(p.flag("expand_owner_alias")),
      reset_owner(p.flag("reset_owner_alias")) {
    const auto prepend = p.words("prepend_delivered_header");
    enable_original_recipient = p.flag("enable_original_recipient");
    prepend_delivered_to_file = has_word(prepend, "file") || has_word(prepend, "command");
    prepend_delivered_to_forward = has_word(prepend, "forward");
    const auto propagate = p.words("propagate_unmatched_extensions");
    propagate_alias = has_word(propagate, "alias");
    propagate_forward = has_word(propagate, "forward");
    const auto commands = p.words("allow_mail_to_commands");
    alias_to_command = has_word(commands, "alias");
    forward_to_command = has_word(commands, "forward");
    const auto files = p.words("allow_mail_to_files");
    alias_to_file = has_word(files, "alias");
    forward_to_file = has_word(files, "forward");
    std::vector<table::diagnostic> complaints;
    table::open_options options;
    options.syntax = table::source_syntax::aliases;
    options.allow_substitution = false;
    aliases = table::maps::open("alias_maps", p.text("alias_maps"), mail.shared().tables, mail.table_environment(),
                                options, complaints);
    for (const table::diagnostic& each : complaints) mail.warn(mail.process_of("local"), each.text);
}

local_delivery::local_delivery(master::mail_system& mail, master::daemon& service, const local_settings& settings,
                               report& account)
    : mail_(mail), service_(service), settings_(settings), account_(account) {
    const cleanup::message_headers headers(*account.about().file->content);
    for (const std::string& each : headers.values("Delivered-To"))
        delivered_to_.insert(text::lowered(text::trimmed(each)));
}

void local_delivery::fill(state& at) const {
    const auto parts = address::split_at_domain(at.to.address);
    at.local = text::lowered(parts.local);
    at.domain = parts.domain ? text::lowered(*parts.domain) : settings_.myhostname;
    at.user = at.local;
    at.extension.clear();
    if (const auto split = address::split_extension(at.local, mail_.rewrite().extensions())) {
        at.user = std::string(split->user);
        at.extension = std::string(split->extension);
    }
}

task<void> local_delivery::run() {
    for (const target& each : account_.about().targets) {
        state at;
        at.to = each;
        at.delivered_to = text::lowered(each.address);
        at.sender = account_.about().file->sender;
        fill(at);
        if (delivered_to_.contains(text::lowered(each.address))) {
            account_.bounced(each, "local", {"5.4.6", "mail forwarding loop for " + each.address});
            continue;
        }
        const result outcome = co_await deliver(std::move(at));
        account_.close(each, outcome != result::deferred);
    }
}

// Says what became of one address; the account knows parts of an expansion from recipients of their own.
local_delivery::result local_delivery::account_for(const state& at, const queue::delivery_status& status,
                                                   std::string_view relay, std::string_view action) {
    switch (status.dsn.empty() ? '5' : status.dsn[0]) {
        case '2':
            if (at.is_part) {
                account_.sent_part(at.to, relay, status, action);
            } else {
                account_.sent(at.to, relay, status, action);
            }
            return result::done;
        case '4':
            account_.deferred(at.to, relay, status);
            return result::deferred;
        default:
            account_.bounced(at.to, relay, status);
            return mail_.soft_bounce() ? result::deferred : result::bounced;  // which is tried again
    }
}

// deliver_switch: aliases first, then the users of this host.
task<local_delivery::result> local_delivery::deliver(state at) {
    at.unmatched.clear();
    std::optional<result> expanded = co_await deliver_alias(at, at.local);
    if (expanded) co_return *expanded;
    if (!at.extension.empty()) {
        if (settings_.propagate_alias) at.unmatched = at.extension;
        std::optional<result> by_user = co_await deliver_alias(at, at.user);
        if (by_user) co_return *by_user;
        at.unmatched = at.extension;
    }
    if (!at.owner.empty() && !text::equal_ignoring_case(at.owner, at.user)) co_return send_on(at);
    if (at.from_include) co_return send_on(at);
    const result outcome = co_await deliver_user(std::move(at));
    co_return outcome;
}

task<local_delivery::result> local_delivery::deliver_user(state at) {
    if (!settings_.mailbox_transport.empty()) {
        const result outcome = co_await pass_on(at, settings_.mailbox_transport);
        co_return outcome;
    }
    const auto user = mail_.host().find_account(at.user);
    if (!user && !settings_.fallback_transport.empty()) {
        const result outcome = co_await pass_on(at, settings_.fallback_transport);
        co_return outcome;
    }
    if (!user) co_return deliver_unknown(at);
    if (!seen_.insert("user " + at.user).second) co_return result::done;
    std::optional<result> forwarded = co_await deliver_forward_file(at, *user);
    if (forwarded) co_return *forwarded;
    co_return deliver_mailbox(at, *user);
}

local_delivery::result local_delivery::deliver_mailbox(state& at, const account& user) {
    if (account_.is_probe()) {
        const bool maildir = place_for(settings_, user).maildir;
        return account_for(at, {"2.0.0", maildir ? "delivers to maildir" : "delivers to mailbox"});
    }
    mailbox_headers headers;
    headers.original_to = settings_.enable_original_recipient;
    if (settings_.prepend_delivered_to_file) headers.delivered_to = at.delivered_to;
    const mailbox_place place = place_for(settings_, user);
    const std::string text =
        mailbox_text(account_.about(), at.to, headers, place.maildir ? mailbox_format::maildir : mailbox_format::mbox,
                     mail_.now(), mail_.host().time_zone());
    return account_for(at, store(mail_, place, user, text));
}

local_delivery::result local_delivery::deliver_unknown(state& at) {
    if (!settings_.luser_relay.empty() && seen_.insert("luser_relay " + at.local).second) {
        std::string relay = settings_.luser_relay;
        const std::pair<const char*, std::string> values[] = {{"user", at.user},
                                                              {"extension", at.extension},
                                                              {"local", at.local},
                                                              {"domain", at.domain},
                                                              {"recipient", at.to.address}};
        for (const auto& [name, value] : values) {
            relay = text::replaced(relay, fmt::format("${{{}}}", name), value);
            relay = text::replaced(relay, fmt::format("$({})", name), value);
            relay = text::replaced(relay, fmt::format("${}", name), value);
        }
        state next = at;
        next.to.address = mail_.rewrite().rewrite(relay, true);
        fill(next);
        const auto& resolved = mail_.rewrite().resolve(at.sender, next.to.address);
        if (resolved.domain != address::domain_class::local) {
            next.to.address = resolved.recipient;
            if (account_.is_probe()) return account_for(next, {"2.0.0", "forwards to " + next.to.address});
            state sender = at;
            forwards_[at.to.address].recipients.push_back(next.to.address);
            return finish_forward(sender, at.to.address);
        }
        if (const auto user = mail_.host().find_account(next.user)) return deliver_mailbox(next, *user);
    }
    const std::string_view postmaster = at.user;
    if (postmaster == "postmaster" || postmaster == "mailer-daemon" || postmaster == "double-bounce") {
        mail_.warn(account_.agent(), fmt::format("required alias not found: {}", at.user));
        return account_for(at, {"2.0.0", "discarded"});
    }
    return account_for(at, {"5.1.1", fmt::format("unknown user: \"{}\"", at.user)});
}

// mailbox_transport, fallback_transport: another agent takes over.
task<local_delivery::result> local_delivery::pass_on(state at, std::string transport) {
    const auto where = address::split_transport(transport);
    account_.remark(fmt::format("passing <{}> to transport={}", at.to.address, where.transport));
    std::string next_hop = where.next_hop.empty() ? at.domain : where.next_hop;
    co_await mail_.agents().pass_on(account_.about(), at.to, where.transport, std::move(next_hop));
    co_return account_.about().recipient(at.to).done ? result::done : result::deferred;
}

// For whom a list speaks: owner-NAME, or what that expands to when it is a single address.
std::string local_delivery::alias_owner(const std::string& name) const {
    const std::string owner = "owner-" + name;
    const auto found = settings_.aliases.find(owner);
    if (!found.found()) return {};
    if (settings_.expand_owner) {
        const std::string& right = found.result.value;
        const bool single = right.find_first_of(",|/:") == std::string::npos;
        if (single) return mail_.rewrite().rewrite(text::trimmed(right), true);
    }
    return owner;
}

task<std::optional<local_delivery::result>> local_delivery::deliver_alias(state& at, std::string name) {
    if (settings_.aliases.empty()) co_return std::nullopt;
    const auto found = settings_.aliases.find(name);
    for (const std::string& each : found.result.warnings) mail_.warn(account_.agent(), each);
    if (found.failed()) co_return account_for(at, {"4.3.0", "alias database unavailable"});
    if (!found.found()) co_return std::nullopt;
    // An alias that was gone through already, or that names itself, is no alias any more: it may be a user.
    if (text::equal_ignoring_case(at.came_from, name)) co_return std::nullopt;
    if (!seen_.insert("alias " + name).second) {
        if (at.level > 0 && mail_.host().find_account(name)) co_return std::nullopt;
        co_return result::done;
    }
    if (at.level >= deepest_expansion) {
        mail_.warn(account_.agent(), fmt::format("alias database loop for {}", at.to.address));
        co_return account_for(at, {"5.4.6", fmt::format("alias database loop for {}", at.to.address)});
    }
    if (account_.is_verification()) co_return account_for(at, {"2.0.0", "aliased to " + found.result.value});
    const std::string owner = alias_owner(name);
    state next = at;
    next.came_from = name;
    next.is_part = true;
    ++next.level;
    if (!owner.empty()) {
        next.owner = owner;
        next.sender = owner;
        const bool qualified = owner.find('@') != std::string::npos;
        if (!qualified) next.sender = mail_.rewrite().rewrite(owner, true);
    } else if (settings_.reset_owner) {
        next.owner = at.to.address;
    }
    const std::string key = fmt::format("{} {}", at.to.address, name);
    next.to = at.to;
    current_forward_.push_back(key);
    std::string text = found.result.value;
    const result expanded = co_await expand(std::move(next), std::move(text), false);
    current_forward_.pop_back();
    const bool forwards = forwards_.contains(key);
    result outcome = expanded;
    if (forwards) {
        state sender = at;
        if (!owner.empty())
            sender.sender = owner.find('@') != std::string::npos ? owner : mail_.rewrite().rewrite(owner, true);
        const result forwarded = finish_forward(sender, key);
        if (outcome == result::done) outcome = forwarded;
    }
    if (outcome == result::done && at.level == 0) {
        account_.trace(at.to, "local", owner.empty() ? "expanded" : "delivered", {"2.0.0", "alias expanded"});
    }
    co_return outcome;
}

// forward_path names files of the user; the first that exists decides.
task<std::optional<local_delivery::result>> local_delivery::deliver_forward_file(state& at, const account& user) {
    for (const auto word : text::split(settings_.forward_path, text::comma_or_space)) {
        std::string path(word);
        const std::pair<const char*, std::string> values[] = {
            {"home", user.home},
            {"user", at.user},
            {"local", at.local},
            {"domain", at.domain},
            {"extension", at.extension},
            {"recipient_delimiter", at.extension.empty() ? "" : settings_.recipient_delimiter.substr(0, 1)}};
        bool empty_macro = false;
        for (const auto& [name, value] : values) {
            const std::string macro = fmt::format("${{{}}}", name), bare = fmt::format("${}", name);
            const bool used = path.find(macro) != std::string::npos || path.find(bare) != std::string::npos;
            empty_macro = empty_macro || (used && value.empty());
            path = text::replaced(text::replaced(path, macro, value), bare, value);
        }
        if (empty_macro) continue;
        auto text = mail_.host().read_file(path);
        if (!text) continue;
        if (!seen_.insert("forward " + path).second) co_return std::nullopt;
        if (account_.is_verification()) co_return account_for(at, {"2.0.0", "forward via file: " + path});
        state next = at;
        next.came_from = at.user;
        next.is_part = true;
        next.unmatched = settings_.propagate_forward ? at.extension : "";
        ++next.level;
        const std::string key = fmt::format("{} {}", at.to.address, path);
        current_forward_.push_back(key);
        const result expanded = co_await expand(std::move(next), std::move(*text), true);
        current_forward_.pop_back();
        if (!forwards_.contains(key)) co_return expanded;
        state sender = at;
        const result forwarded = finish_forward(sender, key);
        co_return expanded == result::done ? forwarded : expanded;
    }
    co_return std::nullopt;
}

// The addresses, files, lists and commands of an alias, a :include: file or a forward file.
task<local_delivery::result> local_delivery::expand(state at, std::string text, bool from_forward) {
    result outcome = result::done;
    std::size_t count = 0;
    for (const std::string& word : alias_words(text)) {
        if (++count > longest_expansion) break;
        const result one = co_await deliver_word(at, word, from_forward);
        if (one == result::deferred || outcome == result::done) outcome = one == result::done ? outcome : one;
    }
    co_return outcome;
}

task<local_delivery::result> local_delivery::deliver_word(state at, std::string word, bool from_forward) {
    if (word[0] == '|') {
        if (!(from_forward ? settings_.forward_to_command : settings_.alias_to_command)) {
            co_return account_for(at, {"5.7.1", "mail to command is restricted"});
        }
        const result outcome = co_await deliver_command(at, word.substr(1));
        co_return outcome;
    }
    if (word[0] == '/') {
        if (!(from_forward ? settings_.forward_to_file : settings_.alias_to_file)) {
            co_return account_for(at, {"5.7.1", "mail to file is restricted"});
        }
        account owner;
        owner.name = at.user;
        if (const auto user = mail_.host().find_account(at.user)) owner = *user;
        co_return deliver_file(at, word, owner);
    }
    if (text::starts_with_ignoring_case(word, ":include:")) {
        const result outcome = co_await deliver_include(at, word.substr(9));
        co_return outcome;
    }
    // \user: the mailbox, whatever aliases say.
    const bool plain = word[0] == '\\';
    std::string address = mail_.rewrite().rewrite(plain ? word.substr(1) : word, true);
    if (!at.unmatched.empty() && !plain) {
        address = table::with_extension(address, settings_.recipient_delimiter.substr(0, 1) + at.unmatched);
    }
    const address::resolved& resolved = mail_.rewrite().resolve(at.sender, address);
    at.to.address = resolved.recipient.empty() ? address : resolved.recipient;
    fill(at);
    if (resolved.flags.failed) co_return account_for(at, {"4.3.0", "address resolver failure"});
    if (resolved.transport != "local" || resolved.flags.error) co_return send_on(at);
    if (plain) {
        const auto user = mail_.host().find_account(at.user);
        if (!user) co_return deliver_unknown(at);
        co_return deliver_mailbox(at, *user);
    }
    if (at.level >= deepest_expansion)
        co_return account_for(at, {"5.4.6", fmt::format("alias database loop for {}", at.to.address)});
    const result outcome = co_await deliver(std::move(at));
    co_return outcome;
}

task<local_delivery::result> local_delivery::deliver_include(state at, std::string path) {
    const auto text = mail_.host().read_file(path);
    if (!text) {
        co_return account_for(at,
                              {"5.2.4", fmt::format("error reading include file {}: No such file or directory", path)});
    }
    if (!seen_.insert("include " + path).second) co_return result::done;
    at.from_include = true;
    ++at.level;
    const result outcome = co_await expand(std::move(at), *text, false);
    co_return outcome;
}

task<local_delivery::result> local_delivery::deliver_command(state at, std::string command_line) {
    if (account_.is_probe()) co_return account_for(at, {"2.0.0", fmt::format("delivers to command: {}", command_line)});
    command program;
    program.arguments = {"/bin/sh", "-c", command_line};
    program.user = at.user;
    program.input = account_.about().file->content;
    program.time_limit = service_.parameters->duration("command_time_limit");
    const command_result ran = co_await mail_.host().run(std::move(program));
    co_return account_for(at, command_status(ran, command_line, fmt::format("delivered to command: {}", command_line)));
}

local_delivery::result local_delivery::deliver_file(state& at, const std::string& path, const account& owner) {
    if (!seen_.insert("file " + path).second) return result::done;
    if (account_.is_probe()) {
        return account_for(at, {"2.0.0", path.ends_with('/') ? "delivers to maildir" : "delivers to file: " + path});
    }
    mailbox_headers headers;
    headers.original_to = settings_.enable_original_recipient;
    if (settings_.prepend_delivered_to_file) headers.delivered_to = at.delivered_to;
    const bool maildir = path.back() == '/';
    const std::string text =
        mailbox_text(account_.about(), at.to, headers, maildir ? mailbox_format::maildir : mailbox_format::mbox,
                     mail_.now(), mail_.host().time_zone());
    queue::delivery_status status = store(mail_, {path, maildir}, owner, text);
    if (status.dsn == "2.0.0") status.text = maildir ? "delivered to maildir" : "delivered to file: " + path;
    return account_for(at, status);
}

// deliver_indirect: into the new message of the expansion that is being worked on.
local_delivery::result local_delivery::send_on(state& at) {
    if (!seen_.insert("indirect " + text::lowered(at.to.address)).second) return result::done;
    if (account_.is_probe()) return account_for(at, {"2.0.0", "forwards to " + at.to.address});
    if (current_forward_.empty()) {
        forwards_[at.to.address].recipients.push_back(at.to.address);
        return finish_forward(at, at.to.address);
    }
    forwards_[current_forward_.back()].recipients.push_back(at.to.address);
    return result::done;
}

// forward_finish: queues the new message, and says so in the log of the old.
local_delivery::result local_delivery::finish_forward(const state& at, const std::string& key) {
    const forward taken = std::move(forwards_[key]);
    forwards_.erase(key);
    const queue::queue_file& file = *account_.about().file;
    cleanup::incoming message;
    message.source = cleanup::source::internal;
    queue::queue_file& envelope = message.envelope;
    envelope.arrived = mail_.now();
    envelope.id = mail_.new_queue_id(envelope.arrived);
    envelope.sender = at.sender;
    envelope.from = file.from;
    envelope.encoding = file.encoding;
    envelope.smtputf8 = file.smtputf8;
    const bool list = !at.owner.empty();
    for (const std::string& each : taken.recipients) {
        queue::recipient to;
        to.address = each;
        to.original = list ? each : account_.about().recipient(at.to).original;
        envelope.recipients.push_back(std::move(to));
    }
    message.content = fmt::format("Received: by {} ({})\n\tid {}; {}\n", settings_.myhostname, settings_.mail_name,
                                  envelope.id, text::mail_date(mail_.now(), mail_.host().time_zone()));
    if (settings_.prepend_delivered_to_forward) {
        message.content += fmt::format("Delivered-To: {}\n", address::path_822(at.delivered_to));
    }
    message.content += *file.content;
    const std::string id = envelope.id;
    const cleanup::result queued = mail_.cleanup().take(std::move(message));
    if (queued.status != cleanup::status::ok) return account_for(at, {"4.3.0", "unable to forward message"});
    return account_for(at, {"2.0.0", fmt::format("forwarded as {}", id)}, "local", "relayed");
}

// Comma-separated, over lines; quotes keep commands and odd names together; # begins a comment line (aliases(5)).
std::vector<std::string> alias_words(std::string_view text) {
    std::vector<std::string> words;
    for (const auto line : text::split(text, "\n")) {
        if (line.front() == '#') continue;
        std::string word;
        bool quoted = false;
        const auto finish = [&] {
            const auto trimmed = text::trimmed(word);
            if (!trimmed.empty()) words.emplace_back(trimmed);
            word.clear();
        };
        for (std::size_t i = 0; i < line.size(); ++i) {
            const char c = line[i];
            if (c == '\\' && quoted && i + 1 < line.size()) {
                word += line[++i];
            } else if (c == '"') {
                quoted = !quoted;
            } else if (!quoted && c == ',') {
                finish();
            } else {
                word += c;
            }
        }
        finish();
    }
    return words;
}

task<void> deliver_local(master::mail_system& mail, master::daemon& service, report& account) {
    const local_settings settings(mail, *service.parameters);
    local_delivery delivery(mail, service, settings, account);
    co_await delivery.run();
}

}  // namespace mta::delivery
