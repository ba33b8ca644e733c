#include "sim/lab/evidence.hpp"

#include <algorithm>

#include "mta/text/strings.hpp"
#include "sim/lab/lab.hpp"
#include "sim/record/trace.hpp"

namespace sim::lab {
namespace {

// "a@b" of "RCPT TO:<a@b> NOTIFY=NEVER".
std::string path_in(std::string_view line) {
    const auto open = line.find('<');
    const auto close = line.find('>', open == std::string_view::npos ? 0 : open);
    if (open == std::string_view::npos || close == std::string_view::npos) return {};
    return std::string(line.substr(open + 1, close - open - 1));
}

// The hosts that the stops of a path name, each once where a message stays on its host.
std::vector<std::string> hosts_of(const record::message_trace& story, const std::vector<std::size_t>& path) {
    std::vector<std::string> hosts;
    for (const std::size_t index : path) {
        if (hosts.empty() || hosts.back() != story.stops[index].host) hosts.push_back(story.stops[index].host);
    }
    return hosts;
}

// What a recipient of the last stop was called at the first.
std::string first_name_of(const record::message_trace& story, const std::vector<std::size_t>& path,
                          std::string address) {
    for (std::size_t i = path.size(); i-- > 1;) {
        const auto& child = story.stops[path[i]];
        for (const record::trace_delivery& each : story.stops[path[i - 1]].deliveries) {
            if (each.next_message != child.message || !mta::text::equal_ignoring_case(each.recipient, address))
                continue;
            if (!each.original_recipient.empty()) address = each.original_recipient;
            break;
        }
    }
    return address;
}

}  // namespace

void refusal_collector::add(std::string_view host, const mta::maillog::entry& entry) {
    const auto* command = std::get_if<mta::maillog::command>(&entry.what);
    const bool ends = std::holds_alternative<mta::maillog::disconnected>(entry.what);
    if (!command && !ends && !std::holds_alternative<mta::maillog::connected>(entry.what)) return;
    const std::pair<std::string, std::uint64_t> key(host, entry.connection);
    if (const auto* connected = std::get_if<mta::maillog::connected>(&entry.what)) {
        open_[key].client = name_of_(connected->client.address);
    } else if (ends) {
        open_.erase(key);
    } else {
        if (command->at_client || command->reply.empty()) return;
        conversation& with = open_[key];
        const bool is_mail = mta::text::starts_with_ignoring_case(command->line, "MAIL FROM");
        const bool is_recipient = mta::text::starts_with_ignoring_case(command->line, "RCPT TO");
        if (is_mail) with.sender = path_in(command->line);
        if (command->reply[0] != '4' && command->reply[0] != '5') return;
        scenario::refusal_fact fact;
        fact.when = entry.when;
        fact.client = with.client;
        fact.server = host;
        fact.from = with.sender;
        if (is_recipient) fact.to = path_in(command->line);
        fact.command = command->line;
        fact.reply = command->reply;
        all_.push_back(std::move(fact));
    }
}

std::vector<std::string> lab_evidence::hosts() const {
    std::vector<std::string> names;
    for (const topology::host& each : lab_.topology().hosts) names.push_back(each.name);
    return names;
}

std::vector<scenario::delivery_fact> lab_evidence::deliveries() const {
    std::vector<scenario::delivery_fact> facts;
    record::database* database = lab_.recorder().database();
    if (!database) return facts;
    for (const record::message_summary& message : record::messages(*database)) {
        const record::message_trace story = record::trace(*database, message.message);
        for (std::size_t i = 0; i < story.stops.size(); ++i) {
            const record::trace_stop& stop = story.stops[i];
            const auto path = story.path_to(i);
            for (const record::trace_delivery& each : stop.deliveries) {
                const std::string relay = each.relay.substr(0, each.relay.find('['));
                const auto& servers = lab_.topology().servers;
                const bool scripted =
                    std::any_of(servers.begin(), servers.end(), [&](const auto& s) { return s.name == relay; });
                if (each.status != "sent" || (each.mailbox.empty() && !scripted)) continue;
                scenario::delivery_fact fact;
                fact.when = each.when;
                fact.final_recipient = each.recipient;
                fact.to = first_name_of(story, path,
                                        each.original_recipient.empty() ? each.recipient : each.original_recipient);
                fact.from = story.stops[path.front()].sender;
                fact.hops = hosts_of(story, path);
                if (scripted) fact.hops.push_back(relay);
                fact.host = scripted ? relay : stop.host;
                facts.push_back(std::move(fact));
            }
        }
    }
    return facts;
}

std::vector<scenario::bounce_fact> lab_evidence::bounces() const {
    std::vector<scenario::bounce_fact> facts;
    record::database* database = lab_.recorder().database();
    if (!database) return facts;
    for (const record::message_summary& message : record::messages(*database)) {
        const record::message_trace story = record::trace(*database, message.message);
        for (std::size_t i = 0; i < story.stops.size(); ++i) {
            for (const record::trace_delivery& each : story.stops[i].deliveries) {
                if (each.status != "bounced") continue;
                scenario::bounce_fact fact;
                fact.when = each.when;
                fact.to = each.recipient;
                fact.original =
                    first_name_of(story, story.path_to(i),
                                  each.original_recipient.empty() ? each.recipient : each.original_recipient);
                fact.from = story.stops[i].sender;
                fact.host = story.stops[i].host;
                fact.dsn = each.dsn;
                fact.reason = each.reply;
                facts.push_back(std::move(fact));
            }
        }
    }
    return facts;
}

void lab_evidence::maillog(std::string_view host, const std::function<bool(std::string_view line)>& visit) const {
    const record::maillog* log = lab_.recorder().log_of(host);
    if (log) log->each_line(visit);
}

scenario::queue_counts lab_evidence::queue(std::string_view host) const {
    scenario::queue_counts counts;
    for (const mta::queue::message& each : lab_.machine(host).queue_files().all()) {
        switch (each->where) {
            case mta::queue::name::incoming:
            case mta::queue::name::maildrop:
                ++counts.incoming;
                break;
            case mta::queue::name::active:
                ++counts.active;
                break;
            case mta::queue::name::deferred:
                ++counts.deferred;
                break;
            case mta::queue::name::hold:
                ++counts.hold;
                break;
            case mta::queue::name::corrupt:
                break;
        }
    }
    return counts;
}

std::vector<std::string> lab_evidence::mailbox(std::string_view host, std::string_view user) const {
    for (const record::mailbox_text& each : lab_.mailboxes_of(host)) {
        if (each.user != user) continue;
        std::vector<std::string> messages;
        const std::string_view text = each.text;
        for (std::size_t at = 0; at < text.size();) {
            const std::size_t next = text.find("\n\nFrom ", at);
            const std::size_t end = next == std::string_view::npos ? text.size() : next + 1;
            const std::size_t begin = text.find('\n', at) + 1;
            messages.emplace_back(text.substr(begin, end - begin));
            at = next == std::string_view::npos ? text.size() : next + 2;
        }
        return messages;
    }
    return {};
}

}  // namespace sim::lab
