#include "sim/record/trace.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "mta/text/strings.hpp"
#include "sim/record/sqlite.hpp"

namespace sim::record {
namespace {

// Stops of one story: a forwarding loop in a foreign file ends here.
constexpr std::size_t story_limit = 10'000;
constexpr std::size_t suggestions = 5;

mta::time_point moment(std::int64_t nanoseconds) {
    return mta::time_point(mta::duration(nanoseconds));
}

struct link {
    std::int64_t from, to;
    std::string kind, how, notice, tls_protocol, tls_cipher;
};

class reader {
  public:
    explicit reader(const database& record) : record_(record) {}

    sqlite::statement query(std::string_view sql) const { return {record_.handle(), record_.path(), sql}; }

    std::int64_t root_of(std::int64_t message) const {
        auto parent = query("SELECT message FROM hops WHERE next_message = ?1 ORDER BY id LIMIT 1");
        std::set<std::int64_t> seen;
        while (seen.insert(message).second && seen.size() < story_limit) {
            parent.bind(1, message);
            if (!parent.next()) return message;
            const std::int64_t up = parent.number(0);
            parent.reset();
            message = up;
        }
        return message;
    }

    std::vector<link> links_from(std::int64_t message) const {
        auto rows = query(
            "SELECT hops.message, next_message, kind, link, notice, hops.tls_protocol, hops.tls_cipher FROM hops "
            "JOIN messages ON messages.id = next_message WHERE hops.message = ?1 ORDER BY messages.time_ns, "
            "messages.id");
        rows.bind(1, message);
        std::vector<link> found;
        while (rows.next()) {
            found.push_back(
                {rows.number(0), rows.number(1), rows.text(2), rows.text(3), rows.text(4), rows.text(5), rows.text(6)});
        }
        return found;
    }

    std::optional<trace_stop> stop(std::int64_t message) const;
    std::vector<trace_delivery> deliveries(std::int64_t message) const;

  private:
    const database& record_;
};

// "kimchen" of "kimchen@york.cc" for local(8); virtual(8) has mailboxes by address.
std::string mailbox_of(const trace_delivery& delivery) {
    if (delivery.status != "sent" || !delivery.reply.starts_with("delivered to ")) return {};
    const std::string_view where = std::string_view(delivery.reply).substr(std::string_view("delivered to ").size());
    if (where != "mailbox" && where != "maildir") return {};
    return delivery.agent == "local" ? delivery.recipient.substr(0, delivery.recipient.rfind('@')) : delivery.recipient;
}

std::vector<trace_delivery> reader::deliveries(std::int64_t message) const {
    auto rows = query(
        "SELECT d.time_ns, d.agent, d.recipient, d.original_recipient, d.relay, d.relay_address, d.relay_port, "
        "d.before_queue_manager_ns, d.in_active_queue_ns, d.connecting_ns, d.transmitting_ns, d.dsn, d.status, "
        "d.reply, "
        "coalesce(h.tls_protocol, s.tls_protocol), coalesce(h.tls_cipher, s.tls_cipher), h.next_message "
        "FROM deliveries d LEFT JOIN hops h ON h.id = d.hop LEFT JOIN sessions s ON s.id = d.session "
        "WHERE d.message = ?1 ORDER BY d.id");
    rows.bind(1, message);
    std::vector<trace_delivery> found;
    while (rows.next()) {
        trace_delivery& each = found.emplace_back();
        each.when = moment(rows.number(0));
        each.agent = rows.text(1);
        each.recipient = rows.text(2);
        each.original_recipient = rows.text(3);
        each.relay = rows.text(4);
        each.next_address = rows.text(5);
        if (!rows.is_null(6)) each.next_address += ":" + rows.text(6);
        each.waited = {mta::duration(rows.number(7)), mta::duration(rows.number(8)), mta::duration(rows.number(9)),
                       mta::duration(rows.number(10))};
        each.dsn = rows.text(11);
        each.status = rows.text(12);
        each.reply = rows.text(13);
        each.tls_protocol = rows.text(14);
        each.tls_cipher = rows.text(15);
        each.next_message = rows.number(16);
        each.mailbox = mailbox_of(each);
    }
    return found;
}

std::optional<trace_stop> reader::stop(std::int64_t message) const {
    auto row = query(
        "SELECT m.host, m.queue_id, m.message_id, m.sender, m.size, m.recipient_count, m.time_ns, m.ended_ns, "
        "m.client_name, "
        "m.client_address, m.sasl_username, s.protocol, m.uid, s.tls_protocol, s.tls_cipher, m.origin "
        "FROM messages m LEFT JOIN sessions s ON s.id = m.session WHERE m.id = ?1");
    row.bind(1, message);
    if (!row.next()) return {};
    trace_stop found;
    found.message = message;
    found.host = row.text(0);
    found.queue_id = row.text(1);
    found.message_id = row.text(2);
    found.sender = row.text(3);
    found.size = row.number(4);
    found.recipient_count = row.number(5);
    found.arrived = moment(row.number(6));
    if (!row.is_null(7)) found.removed = moment(row.number(7));
    found.client_name = row.text(8);
    found.client_address = row.text(9);
    found.sasl_username = row.text(10);
    found.protocol = row.text(11);
    if (!row.is_null(12)) found.uid = static_cast<unsigned>(row.number(12));
    found.tls_protocol = row.text(13);
    found.tls_cipher = row.text(14);
    const std::string origin = row.text(15);
    found.how = origin == "smtp" ? arrival::smtp : origin == "submitted" ? arrival::submitted : arrival::notice;
    found.deliveries = deliveries(message);
    return found;
}

arrival arrival_by(std::string_view kind) {
    if (kind == "filter") return arrival::filtered;
    if (kind == "forward") return arrival::forwarded;
    if (kind == "requeue") return arrival::requeued;
    if (kind == "notice") return arrival::notice;
    return arrival::smtp;
}

std::string without_brackets(std::string_view id) {
    if (id.starts_with('<')) id.remove_prefix(1);
    if (id.ends_with('>')) id.remove_suffix(1);
    return std::string(id);
}

void add_recipients(const reader& read, message_summary& summary) {
    // The way ends where no hop goes on; notices are stories within the story.
    auto rows = read.query(
        "WITH RECURSIVE way(message) AS (VALUES (?1) UNION SELECT next_message FROM hops JOIN way USING (message) "
        "WHERE next_message IS NOT NULL AND kind != 'notice') "
        "SELECT d.message, d.recipient, coalesce(d.original_recipient, d.recipient), d.status, h.next_message IS NOT "
        "NULL "
        "FROM way JOIN deliveries d USING (message) LEFT JOIN hops h ON h.id = d.hop ORDER BY d.id");
    rows.bind(1, summary.message);
    std::map<std::pair<std::int64_t, std::string>, std::string> last;  // of each recipient where the way ends
    while (rows.next()) {
        const std::int64_t message = rows.number(0);
        std::string recipient = rows.text(2);
        if (message == summary.message &&
            std::ranges::find(summary.recipients, recipient) == summary.recipients.end()) {
            summary.recipients.push_back(std::move(recipient));
        }
        std::pair<std::int64_t, std::string> key(message, rows.text(1));
        if (rows.number(4) != 0) {
            last.erase(key);
        } else {
            last[std::move(key)] = rows.text(3);
        }
    }
    std::set<std::string> outcomes;
    for (const auto& [where, status] : last) outcomes.insert(status);
    for (const auto& each : outcomes) summary.outcome += (summary.outcome.empty() ? "" : ", ") + each;
    if (summary.outcome.empty()) summary.outcome = "queued";
}

}  // namespace

std::string_view to_string(arrival how) {
    constexpr std::array<std::string_view, 6> names = {"smtp",      "submitted", "filtered",
                                                       "forwarded", "requeued",  "notice"};
    return names[static_cast<std::size_t>(how)];
}

std::vector<std::size_t> message_trace::path_to(std::size_t index) const {
    std::vector<std::size_t> path;
    for (std::optional<std::size_t> at = index; at && *at < stops.size() && path.size() <= stops.size();
         at = stops[*at].parent) {
        path.push_back(*at);
    }
    std::reverse(path.begin(), path.end());
    return path;
}

std::vector<message_summary> messages(const database& record) {
    const reader read(record);
    auto rows = read.query(
        "SELECT id, host, queue_id, message_id, sender, time_ns, ended FROM messages WHERE NOT EXISTS "
        "(SELECT 1 FROM hops WHERE next_message = messages.id) ORDER BY id");
    std::vector<message_summary> found;
    while (rows.next()) {
        message_summary& each = found.emplace_back();
        each.number = found.size();
        each.message = rows.number(0);
        each.host = rows.text(1);
        each.queue_id = rows.text(2);
        each.message_id = rows.text(3);
        each.sender = rows.text(4);
        each.arrived = moment(rows.number(5));
        if (rows.text(6) == "abandoned") {
            each.outcome = "abandoned";
        } else {
            add_recipients(read, each);
        }
    }
    return found;
}

message_choice choose_message(const database& record, std::string_view wanted) {
    const reader read(record);
    auto exact = read.query(
        "SELECT id FROM messages WHERE queue_id = ?1 OR message_id IN (?1, '<' || ?1 || '>') ORDER BY id LIMIT 1");
    exact.bind(1, wanted);
    if (exact.next()) return {exact.number(0), {}};
    if (const auto number = mta::text::to_number(wanted)) {
        const auto all = messages(record);
        if (*number >= 1 && static_cast<std::uint64_t>(*number) <= all.size()) {
            return {all[static_cast<std::size_t>(*number) - 1].message, {}};
        }
    }
    const std::string plain = mta::text::lowered(without_brackets(wanted));
    std::vector<std::pair<std::size_t, std::string>> candidates;
    auto names = read.query(
        "SELECT DISTINCT name FROM (SELECT queue_id AS name, id FROM messages UNION ALL "
        "SELECT message_id, id FROM messages WHERE message_id IS NOT NULL) ORDER BY name LIMIT 20000");
    while (names.next()) {
        std::string name = names.text(0);
        const std::string folded = mta::text::lowered(without_brackets(name));
        // A piece of the name is nearer than any misspelling of it.
        const bool part = plain.size() >= 3 && folded.find(plain) != std::string::npos;
        const std::size_t limit = std::max<std::size_t>(2, plain.size() / 3);
        const auto [shorter, longer] = std::minmax({plain.size(), folded.size()});
        if (!part && longer - shorter > limit) continue;
        const std::size_t distance = part ? 0 : mta::text::edit_distance(plain.substr(0, 200), folded.substr(0, 200));
        if (distance <= limit) candidates.emplace_back(distance, std::move(name));
    }
    std::sort(candidates.begin(), candidates.end());
    message_choice choice;
    for (auto& [distance, name] : candidates) {
        if (choice.nearest.size() < suggestions) choice.nearest.push_back(std::move(name));
    }
    return choice;
}

message_trace trace(const database& record, std::int64_t message) {
    const reader read(record);
    message_trace story;
    struct visit {
        std::int64_t message;
        std::optional<std::size_t> parent;
        std::optional<link> by;
    };
    std::vector<visit> to_do = {{read.root_of(message), std::nullopt, std::nullopt}};
    std::set<std::int64_t> seen;
    while (!to_do.empty() && story.stops.size() < story_limit) {
        const visit next = to_do.back();
        to_do.pop_back();
        if (!seen.insert(next.message).second) continue;
        auto stop = read.stop(next.message);
        if (!stop) continue;
        stop->parent = next.parent;
        if (next.by) {
            stop->how = arrival_by(next.by->kind);
            stop->link = next.by->how;
            stop->notice_kind = next.by->notice;
            if (stop->tls_protocol.empty()) stop->tls_protocol = next.by->tls_protocol;
            if (stop->tls_cipher.empty()) stop->tls_cipher = next.by->tls_cipher;
        }
        const std::size_t index = story.stops.size();
        story.stops.push_back(std::move(*stop));
        // The last pushed comes first: the earliest way is followed to its end before the next one.
        auto links = read.links_from(next.message);
        for (auto each = links.rbegin(); each != links.rend(); ++each) to_do.push_back({each->to, index, *each});
    }
    return story;
}

}  // namespace sim::record
