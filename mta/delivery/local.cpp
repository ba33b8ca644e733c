#include "mta/delivery/local.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "mta/address/extension.hpp"
#include "mta/address/quote.hpp"
#include "mta/address/trivial_rewrite.hpp"
#include "mta/delivery/agents.hpp"
#include "mta/master/mail_system.hpp"
#include "mta/table/registry.hpp"
#include "mta/text/strings.hpp"

namespace mta::delivery {
namespace {

bool has_word(const std::vector<std::string>& words, std::string_view word) {
    return std::any_of(words.begin(), words.end(),
                       [&](const std::string& each) { return text::equal_ignoring_case(each, word); });
}

std::set<expansion> sources_of(const std::vector<std::string>& words) {
    std::set<expansion> sources;
    if (has_word(words, "alias")) sources.insert(expansion::alias);
    if (has_word(words, "include")) sources.insert(expansion::include);
    if (has_word(words, "forward")) sources.insert(expansion::forward);
    return sources;
}

}  // namespace

local_settings::local_settings(master::mail_system& mail, const config::parameters& p)
    : alias_maps(p.text("alias_maps")),
      mailbox_transport_maps(p.text("mailbox_transport_maps")),
      fallback_transport_maps(p.text("fallback_transport_maps")),
      mailbox_command_maps(p.text("mailbox_command_maps")),
      myhostname(p.text("myhostname")),
      recipient_delimiter(p.text("recipient_delimiter")),
      mail_spool_directory(p.text("mail_spool_directory")),
      home_mailbox(p.text("home_mailbox")),
      mailbox_transport(p.text("mailbox_transport")),
      fallback_transport(p.text("fallback_transport")),
      mailbox_command(p.text("mailbox_command")),
      luser_relay(p.text("luser_relay")),
      forward_path(p.text("forward_path")),
      forward_filter(p.text("forward_expansion_filter")),
      mail_name(p.text("mail_name")),
      enable_original_recipient(p.flag("enable_original_recipient")),
      expand_owner(p.flag("expand_owner_alias")),
      reset_owner(p.flag("reset_owner_alias")),
      owner_special(p.flag("owner_request_special")),
      frozen_delivered_to(p.flag("frozen_delivered_to")),
      tables_environment(mail.table_environment(p)) {
    const auto prepend = p.words("prepend_delivered_header");
    prepend_to_file = has_word(prepend, "file");
    prepend_to_command = has_word(prepend, "command");
    prepend_to_forward = has_word(prepend, "forward");
    const auto propagate = p.words("propagate_unmatched_extensions");
    propagate_alias = has_word(propagate, "alias");
    propagate_forward = has_word(propagate, "forward");
    commands_from = sources_of(p.words("allow_mail_to_commands"));
    files_from = sources_of(p.words("allow_mail_to_files"));
    command_time_limit = p.duration("command_time_limit");
    const std::int64_t limit = p.number("mailbox_size_limit"), largest = p.number("message_size_limit");
    if (limit != 0 && (largest > limit || largest == 0)) {
        throw config::fatal(p.where("mailbox_size_limit"),
                            "main.cf configuration error: mailbox_size_limit is smaller than message_size_limit");
    }
    mailbox_limit = static_cast<std::size_t>(limit);
}

local_tables::local_tables(master::mail_system& mail, const local_settings& settings, const maillog::process& by) {
    std::vector<table::diagnostic> complaints;
    const auto open = [&](const char* name, const std::string& list, table::source_syntax syntax) {
        table::open_options options;
        options.syntax = syntax;
        options.allow_substitution = false;
        options.utf8 = settings.tables_environment.utf8;
        return table::maps::open(name, list, mail.shared().tables, settings.tables_environment, options, complaints);
    };
    aliases = open("alias_maps", settings.alias_maps, table::source_syntax::aliases);
    mailbox_transports = open("mailbox_transport_maps", settings.mailbox_transport_maps, table::source_syntax::map);
    fallback_transports = open("fallback_transport_maps", settings.fallback_transport_maps, table::source_syntax::map);
    mailbox_commands = open("mailbox_command_maps", settings.mailbox_command_maps, table::source_syntax::map);
    for (const table::diagnostic& each : complaints) mail.log(by, each);
}

local_delivery::local_delivery(master::mail_system& mail, const local_settings& settings, const local_tables& tables,
                               report& account)
    : mail_(mail), settings_(settings), tables_(tables), account_(account) {}

task<void> local_delivery::run() {
    for (const target& each : account_.about().targets) {
        seen_.clear();
        forwards_.clear();
        state at;
        at.index = each.index;
        at.who = account_.about().recipient(each);
        at.who.address = each.address;
        at.sender = account_.about().sender();
        const outcome delivered = co_await deliver_recipient(at);
        const outcome finished = finish_forwards(at, delivered);
        account_.close(each, delivered == outcome::done && finished == outcome::done);
    }
}

local_delivery::outcome local_delivery::account_for(const state& at, const queue::delivery_status& status,
                                                    std::string_view action) {
    return account_.settle_part(at.who, at.index, account_.about().transport, status, action);
}

// Whether the recipient is a list with an owner; then the owner is the sender from here on. A result: it is settled,
// because the aliases cannot be read.
std::optional<local_delivery::outcome> local_delivery::find_owner(state& at, bool& found) {
    found = false;
    if (!settings_.owner_special) return std::nullopt;
    const auto parts = address::split_at_domain(at.who.address);
    std::vector<std::string> names{std::string(parts.local)};
    if (const auto split = address::split_extension(parts.local, mail_.rewrite().extensions()))
        names.emplace_back(split->user);
    for (const std::string& name : names) {
        const table::match owner = tables_.aliases.find("owner-" + name);
        if (owner.failed()) return account_for(at, {"4.3.0", "alias database unavailable"});
        if (!owner.found()) continue;
        at.sender = mail_.rewrite().rewrite(settings_.expand_owner ? owner.result.value : "owner-" + name, true);
        at.owner = at.sender;
        found = true;
        break;
    }
    return std::nullopt;
}

// bounce_workaround: what cannot be done for a list is its owner's affair.
local_delivery::outcome local_delivery::bounce_to_owner(state at, const queue::delivery_status& status) {
    bool found = false;
    const auto settled = find_owner(at, found);
    if (settled) return *settled;
    if (!found || !status.dsn.starts_with('5')) return account_for(at, status);
    return account_.bounce_one(at.who, at.index, account_.about().transport, status, at.sender);
}

task<local_delivery::outcome> local_delivery::deliver_recipient(state at) {
    ++at.level;
    if (!first_time(fmt::format("recipient {} {}", at.level, text::lowered(at.who.address)))) co_return outcome::done;
    if (was_delivered_to(*file().content, at.who.address)) {
        co_return bounce_to_owner(at, {"5.4.6", "mail forwarding loop for " + at.who.address});
    }
    if (at.delivered.empty()) at.delivered = at.who.address;
    const auto parts = address::split_at_domain(at.who.address);
    at.local = text::lowered(parts.local);
    at.domain = parts.domain ? text::lowered(*parts.domain) : settings_.myhostname;
    at.user = at.local;
    at.extension.reset();
    if (const auto split = address::split_extension(at.local, mail_.rewrite().extensions())) {
        at.user = std::string(split->user);
        at.extension = std::string(split->extension);
        if (at.extension->find('/') != std::string::npos) {
            mail_.warn(account_.agent(), fmt::format("{}: address with illegal extension: {}", file().id, at.local));
            at.extension.reset();
        }
    }
    at.unmatched = at.extension;
    if (at.user.empty()) co_return account_for(at, {"5.1.3", fmt::format("null username in \"{}\"", at.who.address)});
    const outcome result = co_await deliver_switch(std::move(at));
    co_return result;
}

// Aliases first, then what is forwarded for somebody else, then the users of this host.
task<local_delivery::outcome> local_delivery::deliver_switch(state at) {
    ++at.level;
    at.unmatched.reset();
    const std::optional<outcome> by_name = co_await deliver_alias(at, at.local);
    if (by_name) co_return *by_name;
    if (at.extension) {
        if (settings_.propagate_alias) at.unmatched = at.extension;
        const std::optional<outcome> by_user = co_await deliver_alias(at, at.user);
        if (by_user) co_return *by_user;
        at.unmatched = at.extension;
    }
    const bool of_another = at.owner && !text::equal_ignoring_case(*at.owner, at.user);
    if (of_another || at.by == expansion::include) co_return send_on(at);
    const std::optional<outcome> forwarded = co_await deliver_forward_file(at);
    if (forwarded) co_return *forwarded;
    const std::optional<outcome> kept = co_await deliver_mailbox(at);
    if (kept) co_return *kept;
    const outcome unknown = co_await deliver_unknown(at);
    co_return unknown;
}

task<void> deliver_local(master::mail_system& mail, const local_settings& settings, report& account) {
    const local_tables tables(mail, settings, account.agent());
    local_delivery delivery(mail, settings, tables, account);
    co_await delivery.run();
}

}  // namespace mta::delivery
