// sim/record/deriver.hpp - turns maillog entries into rows: sessions, messages, deliveries, and the hops between hosts.
//
// Entries come in order of virtual time. A hop is tied to the message at its far end by, in this order: the number of
// the network connection, the queue id in the reply and the relay's address, and on one host (content filters) the
// Message-Id. What is kept in memory for that is bounded: of messages that left their queue and of connections that
// ended, the newest few thousand.
#pragma once
#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "mta/maillog/event.hpp"
#include "mta/text/dates.hpp"
#include "mta/text/name_table.hpp"
#include "sim/record/database.hpp"
#include "sim/record/sqlite.hpp"

namespace sim::record {

class deriver {
  public:
    deriver(sqlite3* connection, const std::string& path, detail kept);

    void add_host(std::string_view name, std::string_view address, const mta::text::time_zone& zone);
    // `line` without its newline; nothing for "render it", which is done for entries that Postfix logs.
    void add(std::string_view host, const mta::maillog::entry& entry, std::optional<std::string_view> line);

  private:
    using time_point = mta::time_point;
    enum class origin : std::uint8_t { smtp, submitted, internal };

    struct host_state {
        std::string name, address, machine;
        mta::text::time_zone zone;
        bool spoke = false;
        mta::text::name_table<std::int64_t> by_queue_id;  // the newest row with that id
    };
    struct session_state {
        std::int64_t row = 0;  // 0: none yet
        std::size_t host = 0;
        bool ended = false;
        std::string tls_protocol, tls_cipher;
    };
    struct arrived_message {
        std::int64_t row = 0;
        std::string queue_id;
        std::int64_t claimed_by = 0;  // the message at the client that became this one
    };
    // One network connection, or one server process where connections have no number.
    struct connection_key {
        std::uint64_t number = 0;
        std::size_t host = 0;
        int pid = 0;
        friend auto operator<=>(const connection_key&, const connection_key&) = default;
    };
    struct connection_state {
        session_state server, client;
        std::vector<arrived_message> arrived;
    };
    struct message_state {
        std::int64_t row = 0;
        std::size_t host = 0;
        std::string queue_id, message_id;
        time_point arrived{};
        origin from = origin::internal;
        bool has_parent = false, active = false, ended = false, retiring = false;
        std::uint64_t size = 0, recipient_count = 0;  // when it was active last
        // The hop of the last delivery, for further recipients of the same transaction.
        std::int64_t hop = 0;
        std::int64_t hop_session = 0;
        std::string hop_relay, hop_reply;
        time_point hop_started{};
    };
    // A filter took the message and has not given it back yet.
    struct awaited {
        std::int64_t row = 0;
        std::int64_t hop = 0;
        time_point when{};
        bool by_smtp = false;
    };
    struct context {  // of one add()
        std::size_t host;
        const mta::maillog::entry& entry;
        std::int64_t time;
    };
    struct relay {
        std::string_view name, address;
        int port = 0;
    };

    std::size_t host_index(std::string_view name);
    void speak(const context& now);
    void write_event(const context& now, std::int64_t message);
    std::int64_t derive(const context& now);

    std::int64_t on(const context& now, const mta::maillog::connected& e);
    std::int64_t on(const context& now, const mta::maillog::disconnected& e);
    std::int64_t on(const context& now, const mta::maillog::connection_broken& e);
    std::int64_t on(const context& now, const mta::maillog::command& e);
    std::int64_t on(const context& now, const mta::maillog::tls_established& e);
    std::int64_t on(const context& now, const mta::maillog::client_assigned& e);
    std::int64_t on(const context& now, const mta::maillog::picked_up& e);
    std::int64_t on(const context& now, const mta::maillog::message_id_seen& e);
    std::int64_t on(const context& now, const mta::maillog::became_active& e);
    std::int64_t on(const context& now, const mta::maillog::delivery& e);
    std::int64_t on(const context& now, const mta::maillog::removed& e);
    std::int64_t on(const context& now, const mta::maillog::notification& e);
    template <class Other>
    std::int64_t on(const context& now, const Other&);

    // Sessions (deriver_sessions.cpp).
    connection_key key_of(const context& now) const;
    connection_state& connection_of(const context& now);
    session_state& server_session(const context& now, const mta::maillog::peer* client);
    session_state* client_session(const context& now, std::string_view peer_name, std::string_view peer_address);
    std::int64_t insert_session(const context& now, std::string_view side, std::string_view name,
                                std::string_view address);
    void end_session(session_state& session, std::int64_t time, std::string_view how);

    // Messages.
    message_state* find(std::size_t host, std::string_view queue_id);
    message_state* find_row(std::int64_t row);
    message_state& create(const context& now, std::string_view queue_id, origin from,
                          const mta::maillog::client_assigned* client, const mta::maillog::picked_up* pickup);
    message_state& known(const context& now, std::string_view queue_id);
    void end_message(message_state& message, std::int64_t time, std::string_view how);
    void retire(message_state& message);

    // Hops (deriver_hops.cpp).
    std::int64_t insert_hop(const context& now, const message_state& from, std::string_view kind, message_state* next,
                            std::string_view next_host, std::string_view next_address, std::string_view link,
                            std::string_view notice, const session_state* session, const session_state* tls);
    std::int64_t hop_of(const context& now, message_state& from, const mta::maillog::delivery& e, const relay& to,
                        session_state* client, std::string_view next_queue_id);
    std::int64_t network_hop(const context& now, message_state& from, const relay& to, session_state* client,
                             std::string_view next_queue_id);
    std::int64_t filter_hop(const context& now, message_state& from, const mta::maillog::delivery& e, bool by_smtp,
                            std::string_view address, session_state* client);
    void return_from_filter(const context& now, message_state& message);
    bool is_own_address(std::size_t host, std::string_view address) const;
    std::optional<std::size_t> host_of(std::size_t from, const relay& to) const;
    void insert_delivery(const context& now, const mta::maillog::delivery& e, std::int64_t message,
                         std::int64_t session, std::int64_t hop, const relay& to, std::string_view next_queue_id);

    static relay parse_relay(std::string_view text);
    std::string message_key(std::size_t host, std::string_view id) const;

    detail kept_;
    std::deque<host_state> hosts_;
    std::map<std::string, std::size_t, std::less<>> host_by_name_, host_by_address_;
    std::map<connection_key, connection_state> connections_;
    std::deque<connection_key> ended_connections_;
    std::unordered_map<std::int64_t, message_state> messages_;
    std::unordered_map<std::string, std::vector<std::int64_t>> by_message_id_;
    std::unordered_map<std::string, std::vector<awaited>> awaited_;  // by host and Message-Id
    std::deque<std::int64_t> retired_;
    std::int64_t last_event_ = 0, last_session_ = 0, last_message_ = 0, last_hop_ = 0, last_delivery_ = 0;
    std::string fields_, line_;

    sqlite::statement insert_host_, update_host_time_, update_host_address_, insert_event_, insert_log_,
        insert_command_;
    sqlite::statement insert_session_, update_helo_, update_tls_, update_commands_, update_ended_;
    sqlite::statement insert_message_, update_message_id_, update_active_, update_message_end_;
    sqlite::statement insert_hop_, update_hop_, insert_delivery_;
};

}  // namespace sim::record
