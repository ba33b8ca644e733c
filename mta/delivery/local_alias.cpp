// What names other recipients: aliases, :include: lists and forward files (aliases(5); alias.c, include.c,
// dotforward.c, token.c and resolve.c of local(8)).
#include <fmt/format.h>

#include "mta/address/extension.hpp"
#include "mta/address/quote.hpp"
#include "mta/address/trivial_rewrite.hpp"
#include "mta/config/expand.hpp"
#include "mta/delivery/local.hpp"
#include "mta/master/mail_system.hpp"
#include "mta/table/lookup_order.hpp"
#include "mta/text/strings.hpp"

namespace mta::delivery {
namespace {

constexpr int deepest_expansion = 100;              // in levels, of which an alias takes four
constexpr std::size_t longest_expansion = 100'000;  // addresses of one recipient

std::uint8_t without_success(std::uint8_t notify) {
    const auto rest = static_cast<std::uint8_t>(notify & ~queue::notify_success);
    return notify != 0 && rest == 0 ? static_cast<std::uint8_t>(queue::notify_never) : rest;
}

}  // namespace

task<std::optional<local_delivery::outcome>> local_delivery::deliver_alias(state at, std::string name) {
    // An alias that names itself means the user.
    ++at.level;
    if (text::equal_ignoring_case(at.expanded_from, name)) co_return std::nullopt;
    if (at.level > deepest_expansion) {
        mail_.warn(account_.agent(), "alias database loop for " + name);
        co_return account_for(at, {"5.4.6", "alias database loop for " + name});
    }
    // Only now: a luser_relay that names one unknown user after another ends in the loop above without any alias.
    if (tables_.aliases.empty()) co_return std::nullopt;
    table::match found = tables_.aliases.find(name);
    if (found.failed()) found.result.warnings.back() = fmt::format("{}: lookup of '{}' failed", found.table, name);
    for (const std::string& each : found.result.warnings) mail_.warn(account_.agent(), each);
    if (found.failed()) co_return account_for(at, {"4.3.0", "alias database unavailable"});
    if (!found.found()) co_return std::nullopt;
    if (account_.is_verification()) co_return account_for(at, {"2.0.0", "aliased to " + found.result.value});
    state next = at;
    next.expanded_from = name;
    next.by = expansion::alias;
    next.rights = {};
    table::match owner;
    if (settings_.owner_special) owner = tables_.aliases.find("owner-" + name);
    if (owner.failed()) co_return account_for(at, {"4.3.0", "alias database unavailable"});
    next.who.notify = without_success(at.who.notify);
    if (owner.found()) {
        next.sender = mail_.rewrite().rewrite(settings_.expand_owner ? owner.result.value : "owner-" + name, true);
        next.owner = next.sender;
        next.who.original.clear();
        next.who.dsn_original.clear();
    } else if (settings_.reset_owner) {
        next.owner.reset();
    }
    if (!settings_.frozen_delivered_to) next.delivered = at.who.address;
    const outcome result = co_await deliver_list(std::move(next), found.result.value);
    if (result == outcome::done) {
        // A list ends the message's way: it is not told as what the list was called before.
        if (owner.found()) at.who.original.clear();
        account_.trace_part(at.who, account_.about().transport, owner.found() ? "delivered" : "expanded",
                            {"2.0.0", "alias expanded"});
    }
    co_return result;
}

// forward_path: the first file that exists decides. A file that names the user again means his mailbox.
task<std::optional<local_delivery::outcome>> local_delivery::deliver_forward_file(state at) {
    ++at.level;
    if (settings_.forward_path.empty()) co_return std::nullopt;
    const auto user = mail_.host().find_account(at.user);
    if (!user) co_return std::nullopt;
    if (!settings_.frozen_delivered_to) at.delivered = at.who.address;
    at.rights = *user;
    at.by = expansion::forward;
    at.owner = at.user;
    const std::optional<std::string> path = find_forward_file(at);
    if (!path) co_return std::nullopt;
    if (account_.is_verification()) co_return account_for(at, {"2.0.0", "forward via file: " + *path});
    if (!first_time("forward " + *path)) {
        if (seen_.contains("forward-done " + *path)) co_return outcome::done;
        co_return std::nullopt;
    }
    at.expanded_from = at.local;
    const std::uint8_t notify = std::exchange(at.who.notify, without_success(at.who.notify));
    const std::size_t before = addresses_;
    const std::optional<std::string> content = mail_.host().read_file(*path);
    const outcome result = co_await deliver_lines(at, content.value_or(""));
    if (addresses_ == before) co_return std::nullopt;
    seen_.insert("forward-done " + *path);
    at.who.notify = notify;
    if (result == outcome::done)
        account_.trace_part(at.who, account_.about().transport, "expanded", {"2.0.0", "alias expanded"});
    co_return result;
}

std::optional<std::string> local_delivery::find_forward_file(state& at) {
    for (const auto word : text::split(settings_.forward_path, text::comma_or_space)) {
        bool uses_extension = false;
        bool undefined = false;
        const std::string path = expanded(word, at, uses_extension, undefined, settings_.forward_filter);
        if (undefined || !mail_.host().read_file(path)) continue;
        if (uses_extension || !settings_.propagate_forward) at.unmatched.reset();
        return path;
    }
    return std::nullopt;
}

// local_expand. A name without a value is empty, and `undefined`.
std::string local_delivery::expanded(std::string_view text, const state& at, bool& uses_extension, bool& undefined,
                                     std::string_view filter) const {
    const auto find = [&](std::string_view name) -> std::optional<std::string> {
        std::optional<std::string> value;
        if (name == "user") value = at.user;
        if (name == "home" && !at.rights.home.empty()) value = at.rights.home;
        if (name == "shell" && !at.rights.home.empty()) value = "/usr/sbin/nologin";
        if (name == "domain") value = at.domain;
        if (name == "local" || name == "mailbox") value = at.local;
        if (name == "recipient") value = at.who.address;
        if (name == "extension") value = at.extension;
        if (name == "recipient_delimiter" && !settings_.recipient_delimiter.empty())
            value = at.extension ? at.local.substr(at.user.size(), 1) : settings_.recipient_delimiter.substr(0, 1);
        if (name == "extension" && value) uses_extension = true;
        if (!value) undefined = true;
        for (char& c : value ? *value : std::string()) {
            if (!filter.empty() && filter.find(c) == filter.npos) c = '_';
        }
        return value;
    };
    return config::expand_once(text, find, {});
}

task<local_delivery::outcome> local_delivery::deliver_include(state at, std::string path) {
    ++at.level;
    if (!first_time(fmt::format("include {} {}", at.rights.uid, path))) co_return outcome::done;
    at.expanded_from = at.local;
    const queue::delivery_status misconfigured("5.3.5", "mail system configuration error");
    if (!path.starts_with('/')) {
        mail_.warn(account_.agent(), fmt::format(":include:{} uses a relative path", path));
        co_return account_for(at, misconfigured);
    }
    if (path == null_device) {
        mail_.warn(account_.agent(), fmt::format(":include: file {} is not a regular file", path));
        co_return account_for(at, misconfigured);
    }
    std::optional<std::string> text = mail_.host().read_file(path);
    if (!text) {
        mail_.warn(account_.agent(),
                   fmt::format("unable to lookup :include: file {}: No such file or directory", path));
        co_return account_for(at, misconfigured);
    }
    at.by = expansion::include;
    if (!at.owner) at.owner = at.who.address;
    const outcome result = co_await deliver_lines(std::move(at), std::move(*text));
    co_return result;
}

task<local_delivery::outcome> local_delivery::deliver_lines(state at, std::string text) {
    for (std::string_view rest = text; !rest.empty();) {
        const auto end = std::min(rest.find('\n'), rest.size());
        std::string line(rest.substr(0, end));
        rest.remove_prefix(std::min(end + 1, rest.size()));
        if (line.starts_with('#')) continue;
        const outcome result = co_await deliver_list(at, std::move(line));
        if (result != outcome::done) co_return result;
    }
    co_return outcome::done;
}

// Up to the first that has to wait.
task<local_delivery::outcome> local_delivery::deliver_list(state at, std::string text) {
    const address::token_list tokens = address::parse_addresses(text);
    for (const address::token* each : address::addresses_in(tokens)) {
        if (++addresses_ > longest_expansion) break;
        const outcome result = co_await deliver_token(at, *each);
        if (result != outcome::done) co_return result;
    }
    co_return outcome::done;
}

task<local_delivery::outcome> local_delivery::deliver_token(state at, address::token named) {
    constexpr std::string_view include = ":include:";
    const std::string word = address::internalize(named.children);
    if (word.starts_with('/')) co_return deliver_file(at, word);
    if (word.starts_with('~')) {
        const bool named_home = word.starts_with("~/");
        if (named_home && !at.rights.home.empty()) co_return deliver_file(at, at.rights.home + word.substr(1));
        mail_.warn(account_.agent(), fmt::format("{} home directory {}for: {}", named_home ? "unknown" : "bad",
                                                 named_home ? "" : "syntax ", word));
        co_return account_for(at, {"5.3.5", "mail system configuration error"});
    }
    if (word.starts_with('|')) {
        if (!settings_.commands_from.contains(at.by))
            co_return account_for(at, {"5.7.1", "mail to command is restricted"});
        const outcome ran = co_await deliver_command(at, word.substr(1));
        co_return ran;
    }
    if (text::starts_with_ignoring_case(word, include)) {
        const outcome listed = co_await deliver_include(at, word.substr(include.size()));
        co_return listed;
    }
    const outcome sent = co_await deliver_address(at, address::externalize(named.children));
    co_return sent;
}

// deliver_resolve_tree: to a recipient of ours, or on to another host.
task<local_delivery::outcome> local_delivery::deliver_address(state at, std::string external) {
    ++at.level;
    const std::string address = mail_.rewrite().rewrite(address::unquote_822_local(external), true);
    const address::resolved to = mail_.rewrite().resolve(at.sender, address);
    for (const std::string& each : to.warnings) mail_.warn(mail_.process_of("trivial-rewrite"), each);
    if (to.flags.failed) co_return account_for(at, {"4.3.0", "address resolver failure"});
    if (to.flags.error) co_return account_for(at, {"5.1.3", "bad recipient address syntax: " + to.recipient});
    at.who.address = to.recipient;
    if (at.unmatched) {
        const std::string delimiter = at.local.size() > at.user.size() ? at.local.substr(at.user.size(), 1) : "";
        at.who.address = table::with_extension(to.recipient, delimiter + *at.unmatched);
    }
    if (to.transport != account_.about().transport) co_return send_on(at);
    const outcome result = co_await deliver_recipient(std::move(at));
    co_return result;
}

}  // namespace mta::delivery
