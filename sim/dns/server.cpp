#include "sim/dns/server.hpp"

#include <algorithm>
#include <set>

#include "sim/dns/name_key.hpp"

namespace sim::dns {

using mta::dns::question;
using mta::dns::rcode;
using mta::dns::record_type;
using mta::dns::response;

namespace {

constexpr int most_aliases = 11;  // BIND 9.18's max-query-restarts; one more is SERVFAIL

void conclude(response& answer, rcode code) {
    answer.code = code;
    answer.state = mta::dns::status_of(code);
}

// The complaints of `more` go after those of `all`.
void gather(std::vector<diagnostic>& all, std::vector<diagnostic> more) {
    std::move(more.begin(), more.end(), std::back_inserter(all));
}

}  // namespace

std::vector<diagnostic> server::load(zone_plan plan) {
    std::vector<diagnostic> complaints;
    zone_set before = std::move(views_[""]);
    zone_set& now = views_[""];
    now.clear();
    // What stands beside the old plan stays.
    std::set<std::string> planned;
    for (const auto& source : complete(plan_)) planned.insert(key_of(source.name).value_or(""));
    for (const auto& [key, place] : before) {
        if (!planned.contains(key)) now.emplace(key, place);
    }
    for (const auto& source : complete(plan)) {
        const auto key = key_of(source.name);
        const auto old = key ? before.find(*key) : before.end();
        if (old != before.end() && old->second->source == source) {
            now[*key] = old->second;
        } else {
            gather(complaints, put_zone(source));
        }
    }
    plan_ = std::move(plan);
    return complaints;
}

std::vector<diagnostic> server::replace_zone(std::string_view name, std::string_view text) {
    zone_plan plan = plan_;
    const auto declared = std::find_if(plan.zones.begin(), plan.zones.end(),
                                       [&](const declared_zone& zone) { return mta::dns::same_name(zone.name, name); });
    if (declared != plan.zones.end()) {
        declared->text = text;
    } else {
        plan.zones.push_back({std::string(name), std::string(text), security::insecure});
    }
    return load(std::move(plan));
}

std::vector<diagnostic> server::put_zone(const zone_source& source, std::string_view view) {
    auto loaded = zone::load(source);
    if (const auto key = key_of(source.name)) {
        auto place = std::make_shared<slot>();
        place->source = source;
        place->contents = std::move(loaded.contents);
        views_[std::string(view)][*key] = std::move(place);
    }
    return std::move(loaded.complaints);
}

bool server::remove_zone(std::string_view name, std::string_view view) {
    const auto zones = views_.find(view);
    const auto key = key_of(name);
    return key && zones != views_.end() && zones->second.erase(*key) > 0;
}

std::shared_ptr<const zone> server::find_zone(std::string_view name, std::string_view view) const {
    const auto zones = views_.find(view);
    const auto key = key_of(name);
    if (!key || zones == views_.end()) return nullptr;
    const auto place = zones->second.find(*key);
    return place == zones->second.end() ? nullptr : place->second->contents;
}

// ---------------------------------------------------------------------------------------------------------------------

bool server::set_fault(fault failure) {
    const auto key = key_of(failure.name);
    if (!key) return false;
    active_fault set;
    if (failure.kind == fault_kind::stale) set.snapshot = views_;
    set.setting = std::move(failure);
    // One of each kind of question is enough: the older ones can never be found again.
    auto& there = faults_[*key];
    std::erase_if(there, [&](const active_fault& older) {
        return older.setting.type == set.setting.type && older.setting.scope == set.setting.scope;
    });
    there.push_back(std::move(set));
    return true;
}

bool server::clear_fault(std::string_view name) {
    const auto key = key_of(name);
    return key && faults_.erase(*key) > 0;
}

const server::active_fault* server::fault_for(std::string_view key, record_type type) const {
    for (std::string_view at = key;; at = parent_key(at)) {
        if (const auto found = faults_.find(at); found != faults_.end()) {
            const auto& there = found->second;
            const auto last = std::find_if(there.rbegin(), there.rend(), [&](const active_fault& candidate) {
                const bool reaches = at.size() == key.size() || candidate.setting.scope == fault_scope::subtree;
                return reaches && (!candidate.setting.type || candidate.setting.type == type);
            });
            if (last != there.rend()) return &*last;
        }
        if (at.empty()) return nullptr;
    }
}

reply server::answer(const question& question, std::string_view client_address) const {
    reply result;
    const auto key = key_of(question.name);
    if (!key) {
        result.response.state = mta::dns::status::failure;
        return result;
    }
    const std::string view = view_of_ ? view_of_(client_address) : std::string();
    const active_fault* failing = fault_for(*key, question.type);
    const fault_kind kind = failing ? failing->setting.kind : fault_kind::slow;
    switch (kind) {
        case fault_kind::servfail:
            conclude(result.response, rcode::servfail);
            break;
        case fault_kind::timeout:
            result.lost = true;
            break;
        case fault_kind::slow:
            result.response = resolve(views_, view, question);
            if (failing) result.after = failing->setting.delay;
            break;
        case fault_kind::stale:
            result.response = resolve(failing->snapshot, view, question);
            break;
    }
    return result;
}

const server::slot* server::covering(const view_set& views, std::string_view view, std::string_view key) {
    const auto own = views.find(view);
    const auto common = views.find("");
    for (std::string_view at = key;; at = parent_key(at)) {
        for (const auto zones : {own, common}) {
            if (zones == views.end()) continue;
            if (const auto place = zones->second.find(at); place != zones->second.end()) return place->second.get();
        }
        if (at.empty()) return nullptr;
    }
}

// RFC 1034, 4.3.2. BIND without recursion follows a CNAME inside the zone it began in and not into another, though it
// says SERVFAIL at once when that other zone is one it could not load.
response server::resolve(const view_set& views, std::string_view view, const question& question) {
    response result;
    const slot* first = covering(views, view, *key_of(question.name));
    if (!first || !first->contents) {
        conclude(result, first ? rcode::servfail : rcode::refused);
        return result;
    }
    const zone& zone = *first->contents;
    result.authenticated = zone.trust() == security::secure;
    std::string name = question.name;
    for (int aliases = 0;; ++aliases) {
        auto match = zone.find(name, question.type);
        const auto earlier = [&](const mta::dns::record& entry) {
            return mta::dns::same_name(entry.owner, match.records.front().owner);
        };
        const bool alias = match.kind == zone::finding::cname;
        const bool loop = alias && std::any_of(result.answers.begin(), result.answers.end(), earlier);
        if (!loop) std::move(match.records.begin(), match.records.end(), std::back_inserter(result.answers));
        if (!alias) {
            conclude(result, match.kind == zone::finding::no_name ? rcode::nxdomain : rcode::noerror);
            if (match.kind == zone::finding::records) result.state = mta::dns::status::ok;
            if (match.kind == zone::finding::referral) {
                result.authenticated = false;
                // The machine's resolver asks no further, and takes the server that says so little for a lame one.
                if (result.answers.empty() && !match.glue) result.state = mta::dns::status::try_again;
            }
            if (match.kind == zone::finding::no_name || match.kind == zone::finding::no_data) {
                result.negative_ttl_s = zone.negative_ttl_s();
            }
            return result;
        }
        name = result.answers.back().target;
        const bool too_long = loop || aliases == most_aliases;
        const slot* next = too_long ? first : covering(views, view, *key_of(name));
        if (too_long || (next && !next->contents)) {
            if (!too_long) result.answers.clear();
            result.authenticated = false;
            conclude(result, rcode::servfail);
            return result;
        }
        if (next != first) {
            conclude(result, rcode::noerror);
            return result;
        }
    }
}

}  // namespace sim::dns
