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
    std::vector<delivery::target> open;                     // recipients not settled yet
    std::optional<queue::delivery_status> last_failure;     // of a host that could not be reached
    bool last_failure_is_site = false;
    std::int64_t addresses = 0, sessions = 0;

    explicit attempt(delivery::report& to) : account(to), open(to.about().targets) {}
};

client::client(master::mail_system& mail, master::daemon& service)
    : mail_(mail), service_(service), settings_(std::make_unique<const settings>(mail, service)) {}
client::~client() = default;

task<void> client::deliver(delivery::report& account) {
    attempt now(account);
    std::vector<std::string> destinations;
    for (const auto word : text::split(account.about().next_hop, text::comma_or_space)) destinations.emplace_back(word);
    if (!settings_->lmtp) {
        for (const std::string& each : settings_->fallback_relays) destinations.push_back(each);
    }
    for (std::size_t i = 0; i < destinations.size() && !now.open.empty(); ++i) {
        const bool last = i + 1 == destinations.size();
        const auto to = parse_next_hop(destinations[i], settings_->port);
        if (!to) {
            mail_.warn(account.agent(), fmt::format("bad destination: {}", destinations[i]));
            now.last_failure = queue::delivery_status("4.3.5", fmt::format("Host or domain name not found. Bad destination: {}", destinations[i]));
            continue;
        }
        co_await try_destination(now, *to, last);
    }
    if (now.open.empty()) co_return;
    if (!now.last_failure) now.last_failure = queue::delivery_status("4.3.0", "no destination");
    give_up(now, *now.last_failure, now.last_failure_is_site);
}

task<void> client::try_destination(attempt& now, next_hop to, bool last_destination) {
    const candidates found = co_await find_hosts(mail_.host(), mail_.rewrite(), to, settings_->lookup);
    for (const std::string& each : found.warnings) mail_.warn(now.account.agent(), each);
    if (found.failure) {
        now.last_failure = *found.failure;
        now.last_failure_is_site = false;
        co_return;
    }
    std::size_t left = found.hosts.size();
    for (const candidate& each : found.hosts) {
        --left;
        if (settings_->address_limit != 0 && now.addresses >= settings_->address_limit) co_return;
        ++now.addresses;
        const bool limits_end_it = (settings_->address_limit != 0 && now.addresses == settings_->address_limit) ||
                                   (settings_->session_limit != 0 && now.sessions + 1 >= settings_->session_limit);
        const bool last_host = (left == 0 && last_destination) || limits_end_it;
        co_await try_host(now, each, to.port, last_host);
        if (now.open.empty()) co_return;
        if (settings_->session_limit != 0 && now.sessions >= settings_->session_limit) co_return;
    }
}

task<void> client::try_host(attempt& now, const candidate& host, std::uint16_t port, bool last_host) {
    const auto address = address::ip_address::parse(host.address);
    if (!address) co_return;
    endpoint remote;
    remote.address = *address;
    remote.port = port;
    const time_point deadline = settings_->connect_timeout.count() == 0 ? never : mail_.now() + settings_->connect_timeout;
    const std::optional<address::ip_address> source = address::ip_address::parse(settings_->bind_address);
    connect_result connected = co_await mail_.host().connect(remote, source, deadline);
    if (!connected.stream) {
        const std::string text = fmt::format("connect to {}[{}]:{}: {}", host.name, host.address, port, describe(connected.error));
        mail_.log(now.account.agent(), {}, maillog::remark{maillog::level::info, text});
        now.last_failure = queue::delivery_status("4.4.1", text);
        now.last_failure_is_site = true;
        co_return;
    }
    ++now.sessions;
    session conversation(mail_, *settings_, now.account, std::move(connected.stream), host, port, last_host, now.open);
    const bool usable = co_await conversation.open();
    if (usable) co_await conversation.send_message();
    co_await conversation.quit();
}

void client::give_up(attempt& now, const queue::delivery_status& why, bool site_failed) {
    for (const delivery::target& each : now.open) now.account.settle(each, "none", why);
    now.open.clear();
    if (site_failed && why.dsn[0] == '4') now.account.about().site_failure = why;
}

}  // namespace mta::smtp
