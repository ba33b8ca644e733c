#include "sim/dns/zone.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

#include "mta/text/strings.hpp"
#include "sim/dns/name_key.hpp"

namespace sim::dns {

using mta::dns::record;
using mta::dns::record_type;

namespace {

bool holds(const std::vector<record>& records, record_type type) {
    return std::any_of(records.begin(), records.end(), [&](const record& entry) { return entry.type == type; });
}

}  // namespace

std::string to_string(const diagnostic& complaint) {
    std::string where = complaint.zone;
    if (complaint.line > 0) where += fmt::format(":{}", complaint.line);
    if (complaint.line > 0 && complaint.column > 0) where += fmt::format(":{}", complaint.column);
    const char* level = complaint.level == severity::error ? "error" : "warning";
    const std::string_view link = complaint.advice.empty() ? "" : "; ";
    return fmt::format("{}: {}: {}{}{}", where, level, complaint.message, link, complaint.advice);
}

// RFC 4592, 3.3.1: the name itself, or the wildcard right below its closest encloser.
std::map<std::string, zone::node, std::less<>>::const_iterator zone::node_for(const std::string& key) const {
    if (const auto exact = nodes_.find(key); exact != nodes_.end()) return exact;
    std::string_view encloser = parent_key(key);
    while (encloser.size() > key_.size() && !nodes_.contains(encloser)) encloser = parent_key(encloser);
    return nodes_.find(std::string(encloser).append(wildcard_label));
}

bool zone::is_delegated(const std::string& key) const {
    for (std::string_view at = key; at.size() > key_.size(); at = parent_key(at)) {
        const auto node = nodes_.find(at);
        if (node != nodes_.end() && holds(node->second, record_type::ns)) return true;
    }
    return false;
}

bool zone::has_glue(const std::string& key) const {
    for (std::string_view at = key; at.size() > key_.size(); at = parent_key(at)) {
        const auto node = nodes_.find(at);
        if (node == nodes_.end()) continue;
        for (const record& each : node->second) {
            if (each.type != record_type::ns) continue;
            // The address of a server that stands in the zone itself goes along only with answers that say more.
            const auto target = key_of(each.target);
            const auto server = target && is_delegated(*target) ? nodes_.find(*target) : nodes_.end();
            if (server == nodes_.end()) continue;
            if (holds(server->second, record_type::a) || holds(server->second, record_type::aaaa)) return true;
        }
    }
    return false;
}

zone::match zone::find(std::string_view name, record_type type) const {
    match result;
    const auto key = key_of(name);
    if (!key || !key->starts_with(key_)) return result;
    if (is_delegated(*key)) {
        result.kind = finding::referral;
        result.glue = has_glue(*key);
        return result;
    }
    const auto found = node_for(*key);
    if (found == nodes_.end()) return result;
    result.kind = finding::no_data;
    const auto& [owner_key, held] = *found;
    const bool alias = type != record_type::cname && holds(held, record_type::cname);
    const record_type wanted = alias ? record_type::cname : type;
    for (const auto& entry : held) {
        if (entry.type != wanted) continue;
        result.records.push_back(entry);
        if (owner_key != *key) result.records.back().owner = mta::text::lowered(*mta::dns::wire_sized(name));
    }
    if (!result.records.empty()) result.kind = alias ? finding::cname : finding::records;
    return result;
}

const record& zone::soa() const {
    const auto& apex = nodes_.at(key_);
    return *std::find_if(apex.begin(), apex.end(), [](const record& entry) { return entry.type == record_type::soa; });
}

std::uint32_t zone::negative_ttl_s() const {
    return std::min(soa().ttl_s, soa().soa.minimum_s);
}

std::vector<record> zone::records() const {
    std::vector<record> all;
    for (const auto& [key, node] : nodes_) all.insert(all.end(), node.begin(), node.end());
    return all;
}

}  // namespace sim::dns
