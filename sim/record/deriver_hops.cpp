// The part of the deriver that ties a message at one host to what it became at the next, or on the same host again.
#include <algorithm>
#include <array>

#include "mta/text/strings.hpp"
#include "sim/record/deriver.hpp"

namespace sim::record {
namespace {

namespace events = mta::maillog;

// pickup(8) looks into the maildrop once a minute at least.
constexpr std::chrono::seconds filter_patience{60};

// The name after `words` in a delivery's text: "250 2.0.0 Ok: queued as E2180A72621", "forwarded as E2180A72621".
std::string_view id_after(std::string_view text, std::string_view words) {
    const std::size_t start = text.find(words);
    if (start == std::string_view::npos) return {};
    std::string_view id = text.substr(start + words.size());
    const auto end = std::find_if_not(id.begin(), id.end(), mta::text::is_alnum);
    return id.substr(0, static_cast<std::size_t>(end - id.begin()));
}

std::string_view agent_of(std::string_view program) {
    const std::size_t slash = program.rfind('/');
    return slash == std::string_view::npos ? program : program.substr(slash + 1);
}

bool is_loopback(std::string_view address) {
    return address.starts_with("127.") || address == "::1";
}

}  // namespace

// "mail.york.cc[192.168.137.5]:25"; for anything else, no address.
deriver::relay deriver::parse_relay(std::string_view text) {
    const std::size_t open = text.find('[');
    const std::size_t close = text.find(']', open == std::string_view::npos ? 0 : open);
    if (open == std::string_view::npos || close == std::string_view::npos) return {};
    relay result{text.substr(0, open), text.substr(open + 1, close - open - 1), 0};
    if (text.size() > close + 1 && text[close + 1] == ':') {
        const auto port = mta::text::to_number(text.substr(close + 2));
        if (port && *port <= 65535) result.port = static_cast<int>(*port);
    }
    return result;
}

bool deriver::is_own_address(std::size_t host, std::string_view address) const {
    return is_loopback(address) || (!address.empty() && hosts_[host].address == address);
}

std::optional<std::size_t> deriver::host_of(std::size_t from, const relay& to) const {
    if (is_loopback(to.address)) return from;
    if (const auto found = host_by_address_.find(to.address); found != host_by_address_.end()) return found->second;
    if (const auto found = host_by_name_.find(to.name); found != host_by_name_.end()) return found->second;
    return {};
}

std::int64_t deriver::on(const context& now, const events::delivery& e) {
    if (now.entry.queue_id.empty() || now.entry.queue_id == "NOQUEUE") return 0;
    const std::int64_t row = known(now, now.entry.queue_id).row;
    const relay to = parse_relay(e.relay);
    session_state* client = to.address.empty() ? nullptr : client_session(now, to.name, to.address);
    std::string_view next_queue_id;
    if (e.status == "sent") {
        next_queue_id = to.address.empty() ? id_after(e.text, "forwarded as ") : id_after(e.text, "queued as ");
    }
    std::int64_t hop = 0;
    if (message_state* from = find_row(row)) hop = hop_of(now, *from, e, to, client, next_queue_id);
    insert_delivery(now, e, row, client ? client->row : 0, hop, to, next_queue_id);
    return row;
}

std::int64_t deriver::hop_of(const context& now, message_state& from, const events::delivery& e, const relay& to,
                             session_state* client, std::string_view next_queue_id) {
    if (e.status != "sent") return 0;
    const std::int64_t session = client ? client->row : 0;
    // Further recipients of one transaction share its hop.
    if (from.hop != 0 && from.hop_session == session && from.hop_started == e.agent_started &&
        from.hop_relay == e.relay && from.hop_reply == e.text) {
        return from.hop;
    }
    std::int64_t hop = 0;
    if (!to.address.empty()) {
        hop = network_hop(now, from, to, client, next_queue_id);
        if (hop == 0 && is_own_address(now.host, to.address)) hop = filter_hop(now, from, e, true, to.address, client);
        if (hop == 0) {
            const auto host = host_of(now.host, to);
            hop =
                insert_hop(now, from, "smtp", nullptr, host ? std::string_view(hosts_[*host].name) : std::string_view{},
                           to.address, "address", {}, client, client);
        }
    } else if (!next_queue_id.empty()) {
        message_state& forwarded = known(now, next_queue_id);  // leaves `from` where it is
        forwarded.has_parent = true;
        hop = insert_hop(now, from, "forward", &forwarded, {}, {}, "queue id", {}, nullptr, nullptr);
    } else if (agent_of(now.entry.by.tag) == "pipe") {
        hop = filter_hop(now, from, e, false, {}, client);
    }
    from.hop = hop;
    from.hop_session = session;
    from.hop_started = e.agent_started;
    from.hop_relay = e.relay;
    from.hop_reply = e.text;
    return hop;
}

// The message at the other end of the connection, or the one with the queue id that the reply tells; 0 when neither is
// known.
std::int64_t deriver::network_hop(const context& now, message_state& from, const relay& to, session_state* client,
                                  std::string_view next_queue_id) {
    if (now.entry.connection != 0) {
        connection_state& connection = connection_of(now);
        arrived_message* chosen = nullptr;
        for (auto& each : connection.arrived) {
            const bool named = !next_queue_id.empty() && each.queue_id == next_queue_id;
            if (named || (!chosen && each.claimed_by == 0)) chosen = &each;
            if (named) break;
        }
        message_state* next = chosen ? find_row(chosen->row) : nullptr;
        if (next && !next->has_parent) {
            chosen->claimed_by = from.row;
            next->has_parent = true;
            return insert_hop(now, from, "smtp", next, {}, to.address, "connection", {}, client, &connection.server);
        }
    }
    const auto host = next_queue_id.empty() ? std::nullopt : host_of(now.host, to);
    message_state* next = host ? find(*host, next_queue_id) : nullptr;
    if (!next || next->row == from.row || next->has_parent) return 0;
    next->has_parent = true;
    return insert_hop(now, from, "smtp", next, {}, to.address, "queue id", {}, client, nullptr);
}

// A filter on this host gives the message back with its Message-Id: before the delivery to it is logged, or soon after.
std::int64_t deriver::filter_hop(const context& now, message_state& from, const events::delivery& e, bool by_smtp,
                                 std::string_view address, session_state* client) {
    if (from.message_id.empty()) return 0;
    const std::string key = message_key(now.host, from.message_id);
    const auto same = by_message_id_.find(key);
    for (const std::int64_t row : same != by_message_id_.end() ? same->second : std::vector<std::int64_t>{}) {
        message_state* next = find_row(row);
        if (!next || row <= from.row || next->has_parent || next->arrived < e.agent_started) continue;
        if (next->from != (by_smtp ? origin::smtp : origin::submitted)) continue;
        next->has_parent = true;
        return insert_hop(now, from, "filter", next, {}, address, "message-id", {}, client, client);
    }
    auto& waiting = awaited_[key];
    std::erase_if(waiting, [&](const awaited& each) { return each.when + filter_patience < now.entry.when; });
    // A pipe may as well be the end of the way: its hop is written when the message comes back.
    std::int64_t hop = 0;
    if (by_smtp)
        hop = insert_hop(now, from, "smtp", nullptr, hosts_[now.host].name, address, "address", {}, client, client);
    waiting.push_back({from.row, hop, now.entry.when, by_smtp});
    return hop;
}

void deriver::return_from_filter(const context& now, message_state& message) {
    const auto found = awaited_.find(message_key(now.host, message.message_id));
    if (found == awaited_.end() || message.from == origin::internal) return;
    auto& waiting = found->second;
    const auto match = std::find_if(waiting.begin(), waiting.end(), [&](const awaited& each) {
        return each.row != message.row && each.when + filter_patience >= now.entry.when &&
               each.by_smtp == (message.from == origin::smtp);
    });
    if (match == waiting.end()) return;
    const message_state* from = find_row(match->row);
    if (from) {
        message.has_parent = true;
        if (match->hop != 0) {
            update_hop_.bind(1, match->hop)
                .bind(2, hosts_[now.host].name)
                .bind(3, message.row)
                .bind(4, "message-id")
                .run();
        } else {
            insert_hop(now, *from, "filter", &message, {}, {}, "message-id", {}, nullptr, nullptr);
        }
    }
    waiting.erase(match);
    if (waiting.empty()) awaited_.erase(found);
}

std::int64_t deriver::insert_hop(const context& now, const message_state& from, std::string_view kind,
                                 message_state* next, std::string_view next_host, std::string_view next_address,
                                 std::string_view link, std::string_view notice, const session_state* session,
                                 const session_state* tls) {
    const std::int64_t row = ++last_hop_;
    if (next) next_host = hosts_[next->host].name;
    // Both ends know the same; the client's side is missing where TLS is not logged there.
    const session_state* facts = session && !session->tls_protocol.empty() ? session : tls;
    insert_hop_.bind(1, row).bind(2, hosts_[now.host].name).bind(3, now.time).bind(4, from.row).bind(5, kind);
    insert_hop_.bind_or_null(6, next_host).bind_or_null(7, next ? next->row : 0).bind_or_null(8, next_address);
    insert_hop_.bind_or_null(9, link).bind_or_null(10, notice).bind_or_null(11, session ? session->row : 0);
    insert_hop_.bind_or_null(12, facts ? std::string_view(facts->tls_protocol) : std::string_view{});
    insert_hop_.bind_or_null(13, facts ? std::string_view(facts->tls_cipher) : std::string_view{}).run();
    return row;
}

void deriver::insert_delivery(const context& now, const events::delivery& e, std::int64_t message, std::int64_t session,
                              std::int64_t hop, const relay& to, std::string_view next_queue_id) {
    insert_delivery_.bind(1, ++last_delivery_).bind(2, hosts_[now.host].name).bind(3, now.time).bind(4, message);
    insert_delivery_.bind_or_null(5, session)
        .bind_or_null(6, hop)
        .bind(7, agent_of(now.entry.by.tag))
        .bind(8, e.recipient);
    const bool renamed = e.original_recipient != e.recipient;
    insert_delivery_.bind_or_null(9, renamed ? e.original_recipient : std::string_view{}).bind(10, e.relay);
    insert_delivery_.bind_or_null(11, to.name).bind_or_null(12, to.address).bind_or_null(13, std::int64_t{to.port});
    const std::array moments = {e.arrived, e.active, e.agent_started, e.connected, e.done};
    insert_delivery_.bind(14, std::int64_t{(e.done - e.arrived).count()});
    for (std::size_t i = 0; i + 1 < moments.size(); ++i) {
        insert_delivery_.bind(static_cast<int>(15 + i), std::int64_t{(moments[i + 1] - moments[i]).count()});
    }
    insert_delivery_.bind(19, e.dsn).bind(20, e.status).bind(21, e.text).bind_or_null(22, next_queue_id).run();
}

}  // namespace sim::record
