#include "sim/record/deriver.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <concepts>
#include <type_traits>

#include "mta/maillog/render.hpp"
#include "sim/record/json.hpp"

namespace sim::record {
namespace {

namespace events = mta::maillog;

// How many messages that have left their queue are still remembered, for replies that are on their way.
constexpr std::size_t retired_limit = 20'000;

std::int64_t nanoseconds(mta::time_point when) {
    return when.time_since_epoch().count();
}

bool is_queue_id(std::string_view id) {
    return !id.empty() && id != "NOQUEUE";
}

// Writes the fields of an event as a JSON object.
struct field_writer {
    std::string& out;
    void operator()(std::string_view name, std::string_view value) {
        begin(name);
        append_json_string(out, value);
    }
    void operator()(std::string_view name, std::same_as<bool> auto value) {
        begin(name);
        out += value ? "true" : "false";
    }
    void operator()(std::string_view name, std::integral auto value)
        requires(!std::same_as<decltype(value), bool>)
    {
        begin(name);
        std::array<char, 24> digits;
        char* const end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
        out.append(digits.data(), end);
    }

  private:
    void begin(std::string_view name) {
        out += out.size() > 1 ? ",\"" : "\"";
        (out += name) += "\":";
    }
};

// "sasl_username=wim@mx.example" in client_assigned's further text.
std::string_view sasl_username(std::string_view more) {
    constexpr std::string_view key = "sasl_username=";
    const std::size_t start = more.find(key);
    if (start == std::string_view::npos) return {};
    const std::string_view value = more.substr(start + key.size());
    return value.substr(0, value.find(", "));
}

}  // namespace

deriver::deriver(sqlite3* c, const std::string& path, detail kept) : kept_(kept) {
    const auto prepare = [&](std::string_view sql) { return sqlite::statement(c, path, sql); };
    insert_host_ = prepare("INSERT INTO hosts (host, address) VALUES (?1, ?2)");
    update_host_time_ = prepare("UPDATE hosts SET time_ns = ?2 WHERE host = ?1");
    update_host_address_ = prepare("UPDATE hosts SET address = ?2 WHERE host = ?1");
    insert_event_ = prepare("INSERT INTO events VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)");
    insert_log_ = prepare("INSERT INTO log VALUES (?1, ?2, ?3, ?4)");
    insert_command_ = prepare("INSERT INTO commands VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)");
    insert_session_ = prepare(
        "INSERT INTO sessions (id, host, time_ns, side, connection, program, pid, peer_name, peer_address) "
        "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)");
    update_helo_ = prepare("UPDATE sessions SET helo = ?2, protocol = ?3 WHERE id = ?1");
    update_tls_ =
        prepare("UPDATE sessions SET tls_protocol = ?2, tls_cipher = ?3, tls_bits = ?4, tls_trust = ?5 WHERE id = ?1");
    update_commands_ = prepare("UPDATE sessions SET commands = ?2, commands_accepted = ?3 WHERE id = ?1");
    update_ended_ = prepare("UPDATE sessions SET ended_ns = ?2, ended = coalesce(ended, ?3) WHERE id = ?1");
    insert_message_ = prepare(
        "INSERT INTO messages (id, host, time_ns, queue_id, origin, sender, session, client_name, client_address, "
        "sasl_username, uid) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)");
    update_message_id_ = prepare("UPDATE messages SET message_id = ?2 WHERE id = ?1");
    update_active_ = prepare(
        "UPDATE messages SET sender = ?2, size = ?3, recipient_count = ?4, ended = NULL, ended_ns = NULL WHERE id = "
        "?1");
    update_message_end_ = prepare("UPDATE messages SET ended_ns = ?2, ended = ?3 WHERE id = ?1");
    insert_hop_ = prepare("INSERT INTO hops VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)");
    update_hop_ =
        prepare("UPDATE hops SET kind = 'filter', next_host = ?2, next_message = ?3, link = ?4 WHERE id = ?1");
    insert_delivery_ = prepare(
        "INSERT INTO deliveries VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, "
        "?18, "
        "?19, ?20, ?21, ?22)");
}

std::size_t deriver::host_index(std::string_view name) {
    if (const auto found = host_by_name_.find(name); found != host_by_name_.end()) return found->second;
    add_host(name, {}, {});
    return host_by_name_.find(name)->second;
}

void deriver::add_host(std::string_view name, std::string_view address, const mta::text::time_zone& zone) {
    auto found = host_by_name_.find(name);
    if (found == host_by_name_.end()) {
        found = host_by_name_.emplace(name, hosts_.size()).first;
        host_state& made = hosts_.emplace_back();
        made.name = name;
        made.machine = name.substr(0, name.find('.'));
        insert_host_.bind(1, name).bind_or_null(2, address).run();
    } else if (!address.empty()) {
        update_host_address_.bind(1, name).bind(2, address).run();
    }
    host_state& host = hosts_[found->second];
    host.zone = zone;
    if (address.empty()) return;
    host.address = address;
    host_by_address_.insert_or_assign(host.address, found->second);
}

void deriver::add(std::string_view host, const events::entry& entry, std::optional<std::string_view> line) {
    const std::size_t index = host_index(host);
    const context now{index, entry, nanoseconds(entry.when)};
    speak(now);
    const std::int64_t event = ++last_event_;
    const std::int64_t message = derive(now);
    // A command has a table of its own.
    if (kept_ == detail::traces || std::holds_alternative<events::command>(entry.what)) return;
    write_event(now, message);
    if (!line) {
        if (!events::in_maillog(entry.what)) return;
        line_.clear();
        events::render_line(entry, hosts_[index].machine, hosts_[index].zone, line_);
        line_.pop_back();
        line = line_;
    }
    if (line->empty()) return;
    insert_log_.bind(1, event).bind(2, host).bind(3, now.time).bind(4, *line).run();
}

void deriver::speak(const context& now) {
    host_state& host = hosts_[now.host];
    if (host.spoke) return;
    host.spoke = true;
    update_host_time_.bind(1, host.name).bind(2, now.time).run();
}

void deriver::write_event(const context& now, std::int64_t message) {
    fields_ = "{";
    std::visit([&](const auto& e) { e.fields(field_writer{fields_}); }, now.entry.what);
    fields_ += '}';
    insert_event_.bind(1, last_event_).bind(2, hosts_[now.host].name).bind(3, now.time);
    insert_event_.bind(4, events::name_of(now.entry.what))
        .bind(5, now.entry.by.tag)
        .bind(6, std::int64_t{now.entry.by.pid});
    insert_event_.bind_or_null(7, now.entry.queue_id).bind_or_null(8, message);
    insert_event_.bind_or_null(9, static_cast<std::int64_t>(now.entry.connection)).bind(10, fields_).run();
}

// The row of the message that the entry is about, or 0.
std::int64_t deriver::derive(const context& now) {
    return std::visit([&](const auto& e) { return on(now, e); }, now.entry.what);
}

template <class Other>
std::int64_t deriver::on(const context& now, const Other&) {
    if (!is_queue_id(now.entry.queue_id)) return 0;
    const message_state* message = find(now.host, now.entry.queue_id);
    return message ? message->row : 0;
}

std::int64_t deriver::on(const context& now, const events::client_assigned& e) {
    if (!is_queue_id(now.entry.queue_id)) return 0;
    message_state& message = create(now, now.entry.queue_id, origin::smtp, &e, nullptr);
    connection_of(now).arrived.push_back({message.row, message.queue_id, 0});
    return message.row;
}

std::int64_t deriver::on(const context& now, const events::picked_up& e) {
    if (!is_queue_id(now.entry.queue_id)) return 0;
    // The old message first: its id may be that of the new one.
    const message_state* old = e.original_id.empty() ? nullptr : find(now.host, e.original_id);
    const std::int64_t old_row = old ? old->row : 0;
    message_state& message = create(now, now.entry.queue_id, origin::submitted, nullptr, &e);
    if (const message_state* requeued = find_row(old_row)) {
        message.has_parent = true;
        insert_hop(now, *requeued, "requeue", &message, {}, {}, "queue id", {}, nullptr, nullptr);
    }
    return message.row;
}

std::int64_t deriver::on(const context& now, const events::message_id_seen& e) {
    if (!is_queue_id(now.entry.queue_id)) return 0;
    message_state& message = known(now, now.entry.queue_id);
    if (!message.message_id.empty() || e.message_id.empty()) return message.row;
    message.message_id = e.message_id;
    update_message_id_.bind(1, message.row).bind(2, e.message_id).run();
    by_message_id_[message_key(now.host, e.message_id)].push_back(message.row);
    if (!message.has_parent) return_from_filter(now, message);
    return message.row;
}

std::int64_t deriver::on(const context& now, const events::became_active& e) {
    if (!is_queue_id(now.entry.queue_id)) return 0;
    message_state& message = known(now, now.entry.queue_id);
    // A retry changes nothing.
    const bool known_so =
        message.active && !message.ended && message.size == e.size && message.recipient_count == e.recipient_count;
    if (known_so) return message.row;
    message.active = true;
    message.ended = false;
    message.size = e.size;
    message.recipient_count = e.recipient_count;
    update_active_.bind(1, message.row).bind(2, e.sender).bind(3, static_cast<std::int64_t>(e.size));
    update_active_.bind(4, static_cast<std::int64_t>(e.recipient_count)).run();
    return message.row;
}

std::int64_t deriver::on(const context& now, const events::removed&) {
    message_state* message = is_queue_id(now.entry.queue_id) ? find(now.host, now.entry.queue_id) : nullptr;
    if (!message) return 0;
    end_message(*message, now.time, "removed");
    return message->row;
}

std::int64_t deriver::on(const context& now, const events::notification& e) {
    if (!is_queue_id(now.entry.queue_id)) return 0;
    const std::int64_t original_row = known(now, now.entry.queue_id).row;
    if (!is_queue_id(e.queue_id)) return original_row;
    message_state& notice = known(now, e.queue_id);
    const message_state* original = find_row(original_row);
    if (original && !notice.has_parent && notice.row != original_row) {
        notice.has_parent = true;
        insert_hop(now, *original, "notice", &notice, {}, {}, "notification", e.kind, nullptr, nullptr);
    }
    return original_row;
}

std::string deriver::message_key(std::size_t host, std::string_view id) const {
    std::string key = std::to_string(host);
    (key += ' ') += id;
    return key;
}

deriver::message_state* deriver::find(std::size_t host, std::string_view queue_id) {
    const auto& by_queue_id = hosts_[host].by_queue_id;
    const auto found = by_queue_id.find(queue_id);
    return found == by_queue_id.end() ? nullptr : find_row(found->second);
}

deriver::message_state* deriver::find_row(std::int64_t row) {
    const auto found = messages_.find(row);
    return found == messages_.end() ? nullptr : &found->second;
}

// A message whose beginning was not seen: a notice, a forwarded message, or one that was queued before the record
// began.
deriver::message_state& deriver::known(const context& now, std::string_view queue_id) {
    message_state* message = find(now.host, queue_id);
    // An id may be used again once its message is gone.
    const bool begins = std::holds_alternative<events::message_id_seen>(now.entry.what) ||
                        std::holds_alternative<events::became_active>(now.entry.what);
    if (message && !(message->ended && begins && message->active)) return *message;
    return create(now, queue_id, origin::internal, nullptr, nullptr);
}

deriver::message_state& deriver::create(const context& now, std::string_view queue_id, origin from,
                                        const events::client_assigned* client, const events::picked_up* pickup) {
    constexpr std::array<std::string_view, 3> origins = {"smtp", "submitted", "internal"};
    const std::int64_t row = ++last_message_;
    insert_message_.bind(1, row).bind(2, hosts_[now.host].name).bind(3, now.time).bind(4, queue_id);
    insert_message_.bind(5, origins[static_cast<std::size_t>(from)]);
    for (const int column : {6, 7, 8, 9, 10, 11}) insert_message_.bind_null(column);
    if (client) {
        insert_message_.bind_or_null(7, server_session(now, &client->client).row);
        insert_message_.bind(8, client->client.name).bind(9, client->client.address);
        insert_message_.bind_or_null(10, sasl_username(client->more));
    }
    if (pickup) insert_message_.bind(6, pickup->sender).bind(11, static_cast<std::int64_t>(pickup->uid));
    insert_message_.run();

    message_state& message = messages_[row];
    message.row = row;
    message.host = now.host;
    message.queue_id = queue_id;
    message.arrived = now.entry.when;
    message.from = from;
    hosts_[now.host].by_queue_id[message.queue_id] = row;
    return message;
}

void deriver::end_message(message_state& message, std::int64_t time, std::string_view how) {
    if (!message.ended) {
        message.ended = true;
        update_message_end_.bind(1, message.row).bind(2, time).bind(3, how).run();
    }
    retire(message);
}

// Marks `message` as one that may be forgotten, and forgets the oldest such ones. `message` itself stays.
void deriver::retire(message_state& message) {
    if (message.retiring) return;
    message.retiring = true;
    retired_.push_back(message.row);
    while (retired_.size() > retired_limit) {
        const auto oldest = messages_.find(retired_.front());
        retired_.pop_front();
        if (oldest == messages_.end()) continue;
        const message_state& gone = oldest->second;
        auto& by_queue_id = hosts_[gone.host].by_queue_id;
        const auto by_id = by_queue_id.find(gone.queue_id);
        if (by_id != by_queue_id.end() && by_id->second == gone.row) by_queue_id.erase(by_id);
        const std::string key = message_key(gone.host, gone.message_id);
        if (const auto same = by_message_id_.find(key); same != by_message_id_.end()) {
            std::erase(same->second, gone.row);
            if (same->second.empty()) by_message_id_.erase(same);
        }
        awaited_.erase(key);
        messages_.erase(oldest);
    }
}

}  // namespace sim::record
