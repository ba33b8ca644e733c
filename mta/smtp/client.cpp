#include "mta/smtp/client.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "mta/address/ip_address.hpp"
#include "mta/address/trivial_rewrite.hpp"
#include "mta/delivery/agents.hpp"
#include "mta/master/mail_system.hpp"
#include "mta/smtp/dane.hpp"
#include "mta/smtp/session.hpp"
#include "mta/text/strings.hpp"

namespace mta::smtp {

// One delivery request on its way through the hosts.
struct client::attempt {
    delivery::report& account;
    std::vector<delivery::target> open;                  // recipients not settled yet
    std::optional<queue::delivery_status> last_failure;  // of a destination or host that could not be reached
    bool loops = false;                                  // mail for it would come back to this host
    bool loads = false, stores = false;                  // connections, from and into the cache
    std::string next_hop_label;                          // of the first destination, until a good session has it
    std::set<std::string> used;                          // addresses whose cached connections were tried

    explicit attempt(delivery::report& to) : account(to), open(to.about().targets.begin(), to.about().targets.end()) {}
};

client::client(master::mail_system& mail, master::daemon& service)
    : mail_(mail),
      service_(service),
      settings_(std::make_unique<const settings>(mail, service)),
      cache_(mail.clock()) {}
client::~client() = default;

task<void> client::deliver(delivery::report& account) {
    attempt now(account);
    std::vector<std::string> destinations;
    for (const auto word : text::split(account.about().next_hop, text::comma_or_space)) destinations.emplace_back(word);
    const std::size_t own = destinations.size();
    for (const std::string& each : settings_->fallback_relays) destinations.push_back(each);
    std::size_t tried = 0;
    while (tried < destinations.size() && !now.open.empty()) {
        const std::string& destination = destinations[tried++];
        if (settings_->lmtp && text::starts_with_ignoring_case(destination, "unix:")) {
            try_local(now, std::string_view(destination).substr(5));
            continue;
        }
        next_hop to = parse(destination, account.agent());
        if (settings_->lmtp) to.no_mx = true;
        if (tried == 1) choose_caching(now, destination, to);
        co_await try_destination(now, to, tried == destinations.size());
        // Another host would only make a loop longer.
        if (now.loops) break;
    }
    if (now.open.empty()) co_return;
    if (!now.last_failure)
        now.last_failure = queue::delivery_status("4.3.0", "server unavailable or unable to receive mail");
    queue::delivery_status why = *now.last_failure;
    if (why.dsn[0] == '5') {
        // What may be a mistake of the configuration is no reason to bounce mail.
        if (tried > own) {
            mail_.warn(account.agent(), "smtp_fallback_relay configuration problem");
            why.dsn = "4.3.5";
        } else if (!destinations.empty() && destinations.front() == settings_->relayhost && !settings_->lmtp) {
            mail_.warn(account.agent(), "relayhost configuration problem");
            why.dsn = "4.3.5";
        }
    }
    co_await give_up(now, why);
}

// The process ends with a destination that is none.
next_hop client::parse(const std::string& destination, const maillog::process& by) const {
    std::string fault;
    const bool names_family = settings_->lmtp && text::starts_with_ignoring_case(destination, "inet:");
    const auto to = parse_next_hop(std::string_view(destination).substr(names_family ? 5 : 0), settings_->port, &fault);
    if (!to) throw delivery::agent_died(fault);
    constexpr std::uint16_t smtps_port = 465;
    if (settings_->helpful_warnings && !settings_->tls_wrapper_mode && to->port == smtps_port) {
        const std::string_view prefix = settings_->lmtp ? "lmtp" : "smtp";
        mail_.log(
            by, {},
            maillog::remark{maillog::level::info,
                            fmt::format("SMTPS wrappermode (TCP port 465) requires setting \"{}_tls_wrappermode = "
                                        "yes\", and \"{}_tls_security_level = encrypt\" (or stronger)",
                                        prefix, prefix)});
    }
    return *to;
}

// The lab has no servers on UNIX-domain sockets: there is nothing at any path.
void client::try_local(attempt& now, std::string_view path) const {
    now.last_failure = queue::delivery_status(
        "4.4.1", fmt::format("connect to {}[{}]: No such file or directory", settings_->myhostname, path));
}

// smtp_connection_cache_destinations, and what the queue manager sees of a destination that keeps it busy.
void client::choose_caching(attempt& now, const std::string& destination, const next_hop& to) const {
    const delivery::request& work = now.account.about();
    if (settings_->cached_destinations && settings_->cached_destinations->match(to.domain).matched()) {
        now.loads = now.stores = true;
    } else if (settings_->cache_on_demand) {
        now.loads = work.use_cached_connection;
        now.stores = work.keep_connection;
    }
    if (now.loads || now.stores) now.next_hop_label = sender_of(now) + " " + destination;
}

// With passwords by sender a connection is one sender's.
std::string client::sender_of(const attempt& now) const {
    return settings_->sasl.by_sender ? now.account.about().sender() : std::string();
}

std::string client::endpoint_label(const attempt& now, const std::string& destination, const candidate& host,
                                   std::uint16_t port) const {
    std::string label = fmt::format("{} {}:{}", sender_of(now), host.address, port);
    if (settings_->sasl.enabled) label += " " + host.name + " " + destination;
    return label;
}

task<void> client::try_destination(attempt& now, const next_hop& to, bool last_destination) {
    lookup_settings how = settings_->lookup;
    how.detect_loops = settings_->detects_loops(to.port);
    candidates found = co_await find_hosts(mail_.host(), mail_.rewrite(), to, how);
    const bool proven = found.first_answer_is_secure;
    co_await check_resolver(now, proven);
    for (const std::string& each : found.remarks)
        mail_.log(now.account.agent(), {}, maillog::remark{maillog::level::info, each});
    for (const std::string& each : found.warnings) mail_.warn(now.account.agent(), each);
    now.loops = found.loops;
    if (found.failure) now.last_failure = *found.failure;
    progress seen;
    seen.last_destination = last_destination;
    if (!found.hosts.empty()) seen.best_preference = found.hosts.front().preference;
    if (now.loads) co_await use_cached(now, to, found, seen);
    for (std::size_t i = 0; i < found.hosts.size() && !now.open.empty(); ++i) {
        ++seen.addresses;
        const bool last_address = i + 1 == found.hosts.size() || seen.addresses == settings_->address_limit;
        seen.last_host = last_destination && last_address;
        const candidate& host = found.hosts[i];
        const bool again = co_await try_host(now, to, seen, host, plaintext::no);
        if (again) co_await try_host(now, to, seen, host, plaintext::yes);
        if (last_address || (settings_->session_limit != 0 && seen.sessions >= settings_->session_limit)) break;
    }
}

// Who counts on DNSSEC is told when the resolver does not validate: once a process, unless an answer proves that it
// does.
task<void> client::check_resolver(attempt& now, bool proven) {
    const dane_settings& dane = settings_->dane;
    if (!dane.dnssec || dane.probe.empty()) co_return;
    const bool asked = !know_their_resolver_.insert(static_cast<unsigned>(now.account.agent().pid)).second;
    if (asked || proven) co_return;
    const std::string wrong = co_await probe_dnssec(mail_.host(), dane.probe);
    if (wrong.empty()) co_return;
    mail_.warn(now.account.agent(), "DNSSEC validation may be unavailable");
    mail_.warn(now.account.agent(), "reason: " + wrong);
}

// Connections that wait: that of the destination, then those to its best hosts. A host that was tried this way is not
// connected to again.
task<void> client::use_cached(attempt& now, const next_hop& to, candidates& found, progress& seen) {
    std::erase_if(found.hosts, [&](const candidate& each) { return now.used.contains(each.address); });
    if (!found.hosts.empty() && !now.next_hop_label.empty()) {
        std::unique_ptr<connection> link = cache_.take_by_destination(now.next_hop_label);
        if (link) co_await try_cached(now, to, &found, seen, std::move(link));
    }
    for (std::size_t i = 0; i < found.hosts.size() && !now.open.empty();) {
        if (found.hosts[i].preference != seen.best_preference) break;
        const std::string label = endpoint_label(now, to.as_written, found.hosts[i], to.port);
        std::unique_ptr<connection> link = cache_.take_by_endpoint(label);
        bool tried = false;
        if (link) tried = co_await try_cached(now, to, &found, seen, std::move(link));
        if (!tried) ++i;
    }
}

// False: the connection is not good any more, and nothing has happened. `found`: the hosts that are still to be tried,
// where this one is ahead of its turn.
task<bool> client::try_cached(attempt& now, const next_hop& to, candidates* found, progress& seen,
                              std::unique_ptr<connection> link) {
    ++link->uses;
    const std::string address = link->host.address;
    const tls_policy in_clear;
    const session_purpose purpose{mail_, *settings_, now.account, in_clear, to, failed_logins_, now.open};
    session conversation(purpose, std::move(link));
    const bool alive = co_await conversation.probe();
    if (!alive) {
        now.account.set_connection(0, 0);
        co_return false;
    }
    now.used.insert(address);
    ++seen.sessions;
    if (found) {
        std::erase_if(found->hosts, [&](const candidate& each) { return each.address == address; });
        ++seen.addresses;
        const bool used_up = seen.sessions == settings_->session_limit || seen.addresses == settings_->address_limit;
        if (used_up) found->hosts.clear();
        seen.last_host = seen.last_destination && found->hosts.empty();
    }
    conversation.set_last_host(seen.last_host);
    co_await conversation.send_message();
    const bool reusable = conversation.reusable();
    if (!reusable) co_await conversation.quit();
    conversation.report_trouble();
    keep_or_drop(now, conversation);
    co_return true;
}

task<bool> client::policy_allows(attempt& now, const next_hop& to, const candidate& host, tls_policy& policy) {
    policy = settings_->policies.find(to.as_written, host.name);
    if (!policy.failure) co_await settle_dane(mail_.host(), settings_->dane, to, host, policy);
    settings_->policies.complete(policy, to.as_written);
    for (const std::string& each : policy.warnings) mail_.warn(now.account.agent(), each);
    if (policy.failure) {
        mail_.warn(now.account.agent(),
                   fmt::format("TLS policy lookup for {}/{}: {}", to.as_written, host.name, policy.failure->text));
        now.last_failure = *policy.failure;
        co_return false;
    }
    if (settings_->tls_wrapper_mode && !policy.required()) {
        const std::string prefix = settings_->lmtp ? "lmtp" : "smtp";
        mail_.warn(now.account.agent(), fmt::format("{0}_tls_wrappermode requires \"{0}_tls_security_level = encrypt\" "
                                                    "(or stronger)",
                                                    prefix));
        co_return false;
    }
    co_return true;
}

bool client::has_address(const address::ip_address& which) const {
    const std::vector<std::string> interfaces = mail_.host().interfaces();
    return std::any_of(interfaces.begin(), interfaces.end(), [&](const std::string& each) {
        return address::ip_address::parse(each.substr(0, each.find('/'))) == which;
    });
}

task<std::unique_ptr<connection>> client::connect(attempt& now, const candidate& host, std::uint16_t port) {
    const auto address = address::ip_address::parse(host.address);
    if (!address) co_return nullptr;
    endpoint remote;
    remote.address = *address;
    remote.port = port;
    const time_point deadline =
        settings_->connect_timeout.count() == 0 ? never : mail_.now() + settings_->connect_timeout;
    std::optional<address::ip_address> source = address->is_v6() ? settings_->bind_address6 : settings_->bind_address;
    if (source && !has_address(*source)) {
        mail_.warn(now.account.agent(),
                   fmt::format("smtp_connect_addr: bind {}: Cannot assign requested address", source->to_string()));
        if (settings_->bind_address_enforced) {
            now.last_failure = queue::delivery_status("4.4.0", "server configuration error");
            mail_.log(now.account.agent(), {}, maillog::remark{maillog::level::info, now.last_failure->text});
            co_return nullptr;
        }
        source.reset();
    }
    connect_result connected = co_await mail_.host().connect(remote, source, deadline);
    if (!connected.stream) {
        const std::string text =
            fmt::format("connect to {}[{}]:{}: {}", host.name, host.address, port, describe(connected.error));
        mail_.log(now.account.agent(), {}, maillog::remark{maillog::level::info, text});
        now.last_failure = queue::delivery_status("4.4.1", text);
        co_return nullptr;
    }
    auto link = std::make_unique<connection>(std::move(connected.stream), mail_.clock(), host, port);
    if (now.stores) link->reuse_until = mail_.now() + settings_->reuse_time;
    co_return link;
}

// True when the host is to be tried again in clear text.
task<bool> client::try_host(attempt& now, const next_hop& to, progress& seen, const candidate& host,
                            plaintext fallback) {
    tls_policy policy;
    const bool allowed = co_await policy_allows(now, to, host, policy);
    if (!allowed) co_return false;
    if (fallback == plaintext::yes) policy.level = tls_level::none;
    const bool best = host.preference == seen.best_preference;
    std::unique_ptr<connection> link;
    if (!best && now.loads) {
        const std::string label = endpoint_label(now, to.as_written, host, to.port);
        link = cache_.take_by_endpoint(label);
        bool done = false;
        if (link) done = co_await try_cached(now, to, nullptr, seen, std::move(link));
        if (done) co_return false;
    }
    link = co_await connect(now, host, to.port);
    if (!link) co_return false;
    link->best_host = best;
    const session_purpose purpose{mail_, *settings_, now.account, policy, to, failed_logins_, now.open};
    session conversation(purpose, std::move(link));
    conversation.set_last_host(seen.last_host);
    const bool usable = co_await conversation.open();
    if (usable) {
        // Sessions that did not get this far do not count (smtp_mx_session_limit).
        ++seen.sessions;
        const bool last_session = settings_->session_limit != 0 && seen.sessions >= settings_->session_limit;
        conversation.set_last_host(seen.last_host || (last_session && seen.last_destination));
        co_await conversation.send_message();
    }
    const bool again = conversation.retry_in_plaintext();
    const bool reusable = usable && conversation.reusable();
    if (!reusable) co_await conversation.quit();
    conversation.report_trouble();
    if (usable) keep_or_drop(now, conversation);
    co_return again;
}

// After a good session the next message finds its connection under the destination's name; a later one of the same
// delivery is not the destination's first choice.
void client::keep_or_drop(attempt& now, session& conversation) {
    const bool reusable = conversation.reusable();
    const std::string destination = conversation.destination();
    std::unique_ptr<connection> link = conversation.release();
    if (reusable) {
        // The cache keeps what extensions there are, but not the size that was announced.
        link->size_limit = 0;
        const std::string label = endpoint_label(now, destination, link->host, link->port);
        cache_.keep(std::move(link), label, now.next_hop_label, settings_->cache_time);
        now.next_hop_label.clear();
    }
}

task<void> client::give_up(attempt& now, const queue::delivery_status& why) {
    // best_mx_transport has the mail that would come back to this host.
    if (now.loops && why.dsn[0] == '5' && !settings_->best_mx_transport.empty()) {
        const std::string& whole = settings_->best_mx_transport;
        const std::size_t colon = whole.find(':');
        const std::string transport = whole.substr(0, colon);
        const std::string next_hop = colon == std::string::npos ? "" : whole.substr(colon + 1);
        for (const delivery::target& each : now.open) {
            now.account.remark(fmt::format("passing <{}> to transport={}", each.address, transport));
            const maillog::process& self = now.account.agent();
            co_await mail_.agents().reach(self, transport);
            const std::string hop = next_hop.empty() ? now.account.about().next_hop : next_hop;
            co_await mail_.agents().pass_on(now.account.about(), each, transport, hop);
        }
        now.open.clear();
        co_return;
    }
    for (const delivery::target& each : now.open) now.account.settle(each, "none", why);
    now.open.clear();
    if (why.dsn[0] == '4') now.account.about().site_failure = why;
}

}  // namespace mta::smtp
