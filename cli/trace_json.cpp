#include "cli/trace_json.hpp"

#include <algorithm>
#include <boost/json.hpp>

#include "cli/trace.hpp"

namespace cli {

namespace json = boost::json;
using sim::record::message_summary;
using sim::record::message_trace;
using sim::record::trace_delivery;
using sim::record::trace_stop;

namespace {

json::string nanoseconds_text(mta::time_point when) {
    return json::string(mta::text::iso_stamp(when));
}

json::value or_null(const std::string& text) {
    return text.empty() ? json::value(nullptr) : json::value(text);
}

json::object delivery_json(const message_trace& story, const trace_delivery& each) {
    json::object out;
    out["time"] = nanoseconds_text(each.when);
    out["time_ns"] = each.when.time_since_epoch().count();
    out["agent"] = each.agent;
    out["recipient"] = each.recipient;
    out["original_recipient"] = or_null(each.original_recipient);
    out["relay"] = each.relay;
    out["next_address"] = or_null(each.next_address);
    out["before_queue_manager_ns"] = each.waited.before_queue_manager.count();
    out["in_active_queue_ns"] = each.waited.in_active_queue.count();
    out["connecting_ns"] = each.waited.connecting.count();
    out["transmitting_ns"] = each.waited.transmitting.count();
    out["dsn"] = each.dsn;
    out["status"] = each.status;
    out["reply"] = each.reply;
    out["tls_protocol"] = or_null(each.tls_protocol);
    out["tls_cipher"] = or_null(each.tls_cipher);
    out["mailbox"] = or_null(each.mailbox);
    const auto next = stop_index(story, each.next_message);
    out["next_stop"] = next ? json::value(*next + 1) : json::value(nullptr);
    return out;
}

json::object stop_json(const message_trace& story, std::size_t index) {
    const trace_stop& stop = story.stops[index];
    json::object out;
    out["stop"] = index + 1;
    out["parent"] = stop.parent ? json::value(*stop.parent + 1) : json::value(nullptr);
    out["host"] = stop.host;
    out["queue_id"] = stop.queue_id;
    out["message_id"] = or_null(stop.message_id);
    out["sender"] = stop.sender;
    out["size"] = stop.size;
    out["arrival"] = to_string(stop.how);
    out["link"] = or_null(stop.link);
    out["notice"] = or_null(stop.notice_kind);
    out["time"] = nanoseconds_text(stop.arrived);
    out["time_ns"] = stop.arrived.time_since_epoch().count();
    out["removed_ns"] = stop.removed ? json::value(stop.removed->time_since_epoch().count()) : json::value(nullptr);
    out["client_name"] = or_null(stop.client_name);
    out["client_address"] = or_null(stop.client_address);
    out["sasl_username"] = or_null(stop.sasl_username);
    out["uid"] = stop.uid ? json::value(*stop.uid) : json::value(nullptr);
    out["tls_protocol"] = or_null(stop.tls_protocol);
    out["tls_cipher"] = or_null(stop.tls_cipher);
    json::array deliveries;
    for (const auto& each : stop.deliveries) deliveries.push_back(delivery_json(story, each));
    out["deliveries"] = std::move(deliveries);
    return out;
}

}  // namespace

std::optional<std::size_t> stop_index(const message_trace& story, std::int64_t message) {
    const auto found = std::ranges::find(story.stops, message, &trace_stop::message);
    if (message == 0 || found == story.stops.end()) return {};
    return static_cast<std::size_t>(found - story.stops.begin());
}

json::object trace_value(const message_trace& story) {
    json::array stops;
    for (std::size_t i = 0; i < story.stops.size(); ++i) stops.push_back(stop_json(story, i));
    json::object out;
    out["stops"] = std::move(stops);
    return out;
}

std::string trace_json(const message_trace& story) {
    return json::serialize(trace_value(story)) + "\n";
}

json::object summary_value(const message_summary& each) {
    json::object out;
    out["number"] = each.number;
    out["host"] = each.host;
    out["queue_id"] = each.queue_id;
    out["message_id"] = or_null(each.message_id);
    out["sender"] = each.sender;
    out["recipients"] = json::array(each.recipients.begin(), each.recipients.end());
    out["time_ns"] = each.arrived.time_since_epoch().count();
    out["outcome"] = each.outcome;
    return out;
}

std::string messages_json(const std::vector<message_summary>& messages) {
    json::array list;
    for (const auto& each : messages) list.push_back(summary_value(each));
    json::object all;
    all["messages"] = std::move(list);
    return json::serialize(all) + "\n";
}

}  // namespace cli
