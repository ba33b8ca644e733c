#include "mta/smtpd/peer.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "mta/dns.hpp"

namespace mta::smtpd {
namespace {

// gai_strerror(3)'s words.
std::string_view reason(dns::status state) {
    switch (state) {
        case dns::status::try_again:
            return "Temporary failure in name resolution";
        case dns::status::nodata:
            return "No address associated with hostname";
        case dns::status::failure:
        case dns::status::malformed:
            return "Non-recoverable failure in name resolution";
        default:
            return "Name or service not known";
    }
}

}  // namespace

task<identified> identify(Host& host, endpoint remote, bool look_up) {
    identified result;
    peer& client = result.client;
    client.address = remote.address.to_string();
    client.port = remote.port;
    if (!look_up) co_return result;
    if (remote.address.is_loopback() && remote.address.is_v4()) {  // /etc/hosts names no other
        client.name = client.reverse_name = "localhost";
        client.name_status = client.reverse_name_status = '2';
        co_return result;
    }
    dns::question by_address;
    by_address.name = remote.address.reverse_name();
    by_address.type = dns::record_type::ptr;
    const dns::response pointer = co_await host.resolve(by_address);
    const auto names = dns::records_of(pointer, dns::record_type::ptr);
    if (names.empty()) {
        client.name_status = client.reverse_name_status = pointer.state == dns::status::try_again ? '4' : '5';
        co_return result;
    }
    const std::string claimed = names.front().target;
    if (!dns::is_valid_hostname(claimed)) co_return result;
    client.reverse_name = claimed;
    client.reverse_name_status = '2';
    dns::question by_name;
    by_name.name = claimed;
    by_name.type = remote.address.is_v6() ? dns::record_type::aaaa : dns::record_type::a;
    const dns::response forward = co_await host.resolve(by_name);
    const auto addresses = dns::records_of(forward, by_name.type);
    if (addresses.empty()) {
        const bool later = forward.state == dns::status::try_again;
        client.name_status = later ? '4' : '5';
        result.warning = fmt::format("hostname {} does not resolve to address {}: {}", claimed, client.address,
                                     reason(forward.state));
        co_return result;
    }
    const bool holds = std::any_of(addresses.begin(), addresses.end(),
                                   [&](const dns::record& each) { return each.address == client.address; });
    if (!holds) {
        client.name_status = '6';
        result.warning = fmt::format("hostname {} does not resolve to address {}", claimed, client.address);
        co_return result;
    }
    client.name = claimed;
    client.name_status = '2';
    co_return result;
}

}  // namespace mta::smtpd
