#include "mta/smtp/client.hpp"

#include <fmt/format.h>

#include "mta/address/ip_address.hpp"
#include "mta/address/trivial_rewrite.hpp"
#include "mta/master/mail_system.hpp"
#include "mta/smtp/session.hpp"
#include "mta/text/strings.hpp"

namespace mta::smtp {

// One delivery request on its way through the hosts.
struct client::attempt {
    delivery::report& account;
    std::vector<delivery::target> open;                  // recipients not settled yet
    std::optional<queue::delivery_status> last_failure;  // of a destination or host that could not be reached
    bool loops = false;                                  // mail for it would come back to this host

    explicit attempt(delivery::report& to) : account(to), open(to.about().targets) {}
};

client::client(master::mail_system& mail, master::daemon& service)
    : mail_(mail), service_(service), settings_(std::make_unique<const settings>(mail, service)) {}
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
        const auto to = parse_next_hop(destination, settings_->port);
        if (to) {
            co_await try_destination(now, *to, tried == destinations.size());
        } else {
            now.last_failure = queue::delivery_status(
                "4.3.5", fmt::format("Server configuration error: bad destination {}", destination));
        }
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
        } else if (!destinations.empty() && destinations.front() == settings_->relayhost) {
            mail_.warn(account.agent(), "relayhost configuration problem");
            why.dsn = "4.3.5";
        }
    }
    give_up(now, why);
}

task<void> client::try_destination(attempt& now, next_hop to, bool last_destination) {
    lookup_settings how = settings_->lookup;
    how.detect_loops = to.port == 25;
    const candidates found = co_await find_hosts(mail_.host(), mail_.rewrite(), to, how);
    for (const std::string& each : found.warnings) mail_.warn(now.account.agent(), each);
    now.loops = found.loops;
    if (found.failure) now.last_failure = *found.failure;
    progress seen;
    for (std::size_t i = 0; i < found.hosts.size() && !now.open.empty(); ++i) {
        ++seen.addresses;
        const bool last_address = i + 1 == found.hosts.size() || seen.addresses == settings_->address_limit;
        seen.last_host = last_destination && last_address;
        seen.last_destination = last_destination;
        const candidate& host = found.hosts[i];
        const bool again = co_await try_host(now, seen, host, to.port, false);
        if (again) co_await try_host(now, seen, host, to.port, true);
        if (last_address || (settings_->session_limit != 0 && seen.sessions >= settings_->session_limit)) break;
    }
}

// True when the host is to be tried again in clear text.
task<bool> client::try_host(attempt& now, progress& seen, candidate host, std::uint16_t port, bool plaintext) {
    const auto address = address::ip_address::parse(host.address);
    if (!address) co_return false;
    endpoint remote;
    remote.address = *address;
    remote.port = port;
    const time_point deadline =
        settings_->connect_timeout.count() == 0 ? never : mail_.now() + settings_->connect_timeout;
    const std::optional<address::ip_address> source = address::ip_address::parse(settings_->bind_address);
    connect_result connected = co_await mail_.host().connect(remote, source, deadline);
    if (!connected.stream) {
        const std::string text =
            fmt::format("connect to {}[{}]:{}: {}", host.name, host.address, port, describe(connected.error));
        mail_.log(now.account.agent(), {}, maillog::remark{maillog::level::info, text});
        now.last_failure = queue::delivery_status("4.4.1", text);
        co_return false;
    }
    session conversation(mail_, *settings_, now.account, std::move(connected.stream), host, port, plaintext, now.open);
    conversation.set_last_host(seen.last_host);
    const bool usable = co_await conversation.open();
    if (usable) {
        // Sessions that did not get this far do not count (smtp_mx_session_limit).
        ++seen.sessions;
        const bool last_session = settings_->session_limit != 0 && seen.sessions >= settings_->session_limit;
        conversation.set_last_host(seen.last_host || (last_session && seen.last_destination));
        co_await conversation.send_message();
    }
    co_await conversation.quit();
    conversation.report_trouble();
    co_return conversation.retry_in_plaintext();
}

void client::give_up(attempt& now, const queue::delivery_status& why) {
    for (const delivery::target& each : now.open) now.account.settle(each, "none", why);
    now.open.clear();
    if (why.dsn[0] == '4') now.account.about().site_failure = why;
}

}  // namespace mta::smtp
