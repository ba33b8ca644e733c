#include "sim/scenario/policy_server.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "mta/stream/smtp_stream.hpp"
#include "mta/text/strings.hpp"
#include "sim/scenario/pattern.hpp"

namespace sim::scenario {
namespace {

constexpr std::size_t most_lines = 200, longest_line = 8192, most_entries = 100'000;
constexpr mta::duration patience = std::chrono::hours(1);
constexpr mta::duration between_deliveries = std::chrono::hours(1);

std::string_view value_of(const policy_request& request, std::string_view name) {
    const auto found = request.find(name);
    return found == request.end() ? std::string_view() : std::string_view(found->second);
}

// The /24 of an IPv4 address: large senders try again from a neighbour.
std::string_view network_of(std::string_view address) {
    const auto dots = std::count(address.begin(), address.end(), '.');
    return dots == 3 ? address.substr(0, address.rfind('.')) : address;
}

template <class Map>
auto& slot_of(Map& entries, std::string key) {
    if (entries.size() >= most_entries && !entries.contains(key)) entries.erase(entries.begin());
    return entries[std::move(key)];
}

}  // namespace

policy_request_parser::state policy_request_parser::add(std::string_view line) {
    if (line.empty()) return request_.empty() ? state::bad : state::complete;
    const auto equals = line.find('=');
    if (++lines_ > most_lines || equals == std::string_view::npos || equals == 0) return state::bad;
    request_.insert_or_assign(std::string(line.substr(0, equals)), std::string(line.substr(equals + 1)));
    return state::open;
}

policy_request policy_request_parser::take() {
    lines_ = 0;
    return std::exchange(request_, {});
}

std::string policy_mind::decide(const policy_request& request, mta::time_point now) {
    const auto fits = [&](const std::optional<std::string>& pattern, std::initializer_list<std::string_view> names) {
        return !pattern || std::any_of(names.begin(), names.end(), [&](std::string_view each) {
            return glob_matches(*pattern, value_of(request, each));
        });
    };
    for (const topology::policy_rule& each : rules_.rules) {
        if (fits(each.client, {"client_name", "client_address"}) && fits(each.sender, {"sender"}) &&
            fits(each.recipient, {"recipient"}))
            return each.action;
    }
    if (!rules_.greylist || value_of(request, "protocol_state") != "RCPT") return "DUNNO";
    return put_off(*rules_.greylist, request, now);
}

std::string policy_mind::put_off(const topology::greylist& by, const policy_request& request, mta::time_point now) {
    const std::string network(network_of(value_of(request, "client_address")));
    trusted& client = slot_of(clients_, network);
    if (by.trusts_after > 0 && client.count >= by.trusts_after && now - client.last <= by.lifetime) {
        client.last = now;
        return "DUNNO";
    }
    triplet& seen = slot_of(triplets_, mta::text::lowered(fmt::format("{}/{}/{}", network, value_of(request, "sender"),
                                                                      value_of(request, "recipient"))));
    const bool fresh = seen.first == mta::time_point{} || (!seen.passed && now - seen.first > by.retry_window) ||
                       (seen.passed && now - seen.last > by.lifetime);
    if (fresh) seen = {now, now, false};
    if (!seen.passed && now - seen.first < by.delay) return "DEFER_IF_PERMIT " + by.text;
    const bool first_pass = !std::exchange(seen.passed, true);
    seen.last = now;
    if (client.count == 0 || now - client.last >= between_deliveries) {
        ++client.count;
        client.last = now;
    }
    if (!first_pass) return "DUNNO";
    const auto waited = std::chrono::duration_cast<std::chrono::seconds>(now - seen.first).count();
    return fmt::format("PREPEND X-Greylist: delayed {} seconds", waited);
}

struct policy_server::opened {
    mta::nursery tasks{[](std::exception_ptr error) { std::rethrow_exception(error); }};
    std::unique_ptr<mta::listener> port;
};

policy_server::policy_server(mta::Host& machine, const mta::endpoint& at, const topology::policy& rules)
    : machine_(machine), at_(at), mind_(rules) {}

policy_server::~policy_server() = default;

bool policy_server::start() {
    if (opened_) return true;
    opened_ = std::make_unique<opened>();
    opened_->port =
        machine_.listen(at_, [this](std::unique_ptr<mta::byte_stream> stream, const mta::endpoint&,
                                    const mta::endpoint&) { opened_->tasks.start(serve(std::move(stream))); });
    if (opened_->port) return true;
    opened_.reset();
    return false;
}

void policy_server::stop() {
    opened_.reset();
}

mta::task<void> policy_server::serve(std::unique_ptr<mta::byte_stream> stream) {
    mta::smtp_stream wire(std::move(stream), machine_.scheduler());
    policy_request_parser parser;
    std::string line;
    for (;;) {
        const mta::smtp_stream::line got = co_await wire.read_line(line, longest_line, patience);
        if (!got.ok() || got.end == mta::smtp_stream::line_end::none) co_return;
        const policy_request_parser::state now = parser.add(line);
        if (now == policy_request_parser::state::bad) co_return;
        if (now == policy_request_parser::state::open) continue;
        const policy_request request = parser.take();
        wire.put(fmt::format("action={}\n\n", mind_.decide(request, machine_.now())));
        const mta::io_error unsent = co_await wire.flush(patience);
        if (unsent != mta::io_error::none) co_return;
    }
}

}  // namespace sim::scenario
