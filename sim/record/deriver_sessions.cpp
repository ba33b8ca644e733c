// The part of the deriver that follows SMTP sessions: who spoke to whom, over which TLS, and how it ended.
#include <algorithm>

#include "mta/text/strings.hpp"
#include "sim/record/deriver.hpp"

namespace sim::record {
namespace {

namespace events = mta::maillog;

// How many ended connections are still remembered, for a client that logs a delivery after the server's goodbye.
constexpr std::size_t ended_limit = 4096;

std::string_view verb_of(std::string_view line) {
    return line.substr(0, line.find(' '));
}

}  // namespace

deriver::connection_key deriver::key_of(const context& now) const {
    if (now.entry.connection != 0) return {now.entry.connection, 0, 0};
    return {0, now.host, now.entry.by.pid};
}

deriver::connection_state& deriver::connection_of(const context& now) {
    return connections_[key_of(now)];
}

std::int64_t deriver::insert_session(const context& now, std::string_view side, std::string_view name,
                                     std::string_view address) {
    const std::int64_t row = ++last_session_;
    insert_session_.bind(1, row).bind(2, hosts_[now.host].name).bind(3, now.time).bind(4, side);
    insert_session_.bind_or_null(5, static_cast<std::int64_t>(now.entry.connection));
    insert_session_.bind(6, now.entry.by.tag).bind(7, std::int64_t{now.entry.by.pid});
    insert_session_.bind_or_null(8, name).bind_or_null(9, address).run();
    return row;
}

deriver::session_state& deriver::server_session(const context& now, const events::peer* client) {
    session_state& session = connection_of(now).server;
    if (session.row == 0) {
        session.host = now.host;
        const std::string_view name = client ? client->name : std::string_view{};
        const std::string_view address = client ? client->address : std::string_view{};
        session.row = insert_session(now, "server", name, address);
    }
    return session;
}

// The client's side of a connection says nothing when it begins: its first event does. Null without a connection
// number.
deriver::session_state* deriver::client_session(const context& now, std::string_view name, std::string_view address) {
    if (now.entry.connection == 0) return nullptr;
    session_state& session = connection_of(now).client;
    if (session.row == 0) {
        session.host = now.host;
        session.row = insert_session(now, "client", name, address);
    }
    return &session;
}

void deriver::end_session(session_state& session, std::int64_t time, std::string_view how) {
    if (session.row == 0 || session.ended) return;
    session.ended = true;
    update_ended_.bind(1, session.row).bind(2, time).bind(3, how).run();
}

std::int64_t deriver::on(const context& now, const events::connected& e) {
    // A process without connection numbers serves one client after another.
    const connection_key key = key_of(now);
    if (const auto old = connections_.find(key); old != connections_.end() && old->second.server.row != 0) {
        connections_.erase(old);
    }
    server_session(now, &e.client);
    return 0;
}

std::int64_t deriver::on(const context& now, const events::disconnected& e) {
    session_state& session = server_session(now, &e.client);
    std::int64_t total = 0, accepted = 0;
    for (const auto& each : e.commands) total += each.total, accepted += each.succeeded;
    update_commands_.bind(1, session.row).bind(2, total).bind(3, accepted).run();
    connection_state& connection = connection_of(now);
    // What was begun and never became a message: MAIL without the end of its DATA.
    for (const auto& each : connection.arrived) {
        message_state* message = find_row(each.row);
        if (message && message->message_id.empty() && !message->active) end_message(*message, now.time, "abandoned");
    }
    end_session(session, now.time, "disconnect");
    end_session(connection.client, now.time, "disconnect");
    ended_connections_.push_back(key_of(now));
    while (ended_connections_.size() > ended_limit) {
        const auto oldest = connections_.find(ended_connections_.front());
        if (oldest != connections_.end() && oldest->second.server.ended) connections_.erase(oldest);
        ended_connections_.pop_front();
    }
    return 0;
}

std::int64_t deriver::on(const context& now, const events::connection_broken& e) {
    const session_state& session = server_session(now, &e.client);
    std::string how = e.timed_out ? "timeout after " : "lost connection after ";
    how += e.after;
    update_ended_.bind(1, session.row).bind(2, now.time).bind(3, how).run();
    return 0;
}

std::int64_t deriver::on(const context& now, const events::command& e) {
    const session_state* session = e.at_client ? client_session(now, {}, {}) : &server_session(now, nullptr);
    if (kept_ == detail::everything) {
        insert_command_.bind(1, last_event_).bind(2, hosts_[now.host].name).bind(3, now.time);
        insert_command_.bind_or_null(4, session ? session->row : 0).bind(5, e.at_client ? "client" : "server");
        insert_command_.bind_or_null(6, now.entry.queue_id).bind(7, e.line).bind(8, e.reply).run();
    }

    const std::string_view verb = verb_of(e.line);
    const bool extended = mta::text::equal_ignoring_case(verb, "EHLO") || mta::text::equal_ignoring_case(verb, "LHLO");
    if (session && e.reply.starts_with("250") && (extended || mta::text::equal_ignoring_case(verb, "HELO"))) {
        const std::string_view helo = mta::text::trimmed(e.line.substr(verb.size()));
        update_helo_.bind(1, session->row).bind(2, helo).bind(3, extended ? "ESMTP" : "SMTP").run();
    }
    return 0;
}

std::int64_t deriver::on(const context& now, const events::tls_established& e) {
    const relay peer = parse_relay(e.peer);
    const events::peer client{peer.name, peer.address};
    session_state* session = e.at_client ? client_session(now, peer.name, peer.address) : &server_session(now, &client);
    if (!session) return 0;
    session->tls_protocol = e.protocol;
    session->tls_cipher = e.cipher;
    update_tls_.bind(1, session->row).bind(2, e.protocol).bind(3, e.cipher);
    update_tls_.bind(4, std::int64_t{e.cipher_bits}).bind(5, e.trust).run();
    return 0;
}

}  // namespace sim::record
