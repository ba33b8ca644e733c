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

const std::string& named_at_first(const record::trace_delivery& each) {
    return each.original_recipient.empty() ? each.recipient : each.original_recipient;
}

// `server`: the scripted server that took it, or "" for a mailbox of the stop's host.
scenario::delivery_fact delivery_of(const record::message_trace& story, std::size_t stop,
                                    const record::trace_delivery& each, const std::string& server) {
    const auto path = story.path_to(stop);
    scenario::delivery_fact fact;
    fact.when = each.when;
    fact.final_recipient = each.recipient;
    fact.to = first_name_of(story, path, named_at_first(each));
    fact.from = story.stops[path.front()].sender;
    fact.hops = hosts_of(story, path);
    if (!server.empty()) fact.hops.push_back(server);
    fact.host = server.empty() ? story.stops[stop].host : server;
    return fact;
}

scenario::bounce_fact bounce_of(const record::message_trace& story, std::size_t stop,
                                const record::trace_delivery& each) {
    scenario::bounce_fact fact;
    fact.when = each.when;
    fact.to = each.recipient;
    fact.original = first_name_of(story, story.path_to(stop), named_at_first(each));
    fact.from = story.stops[stop].sender;
    fact.host = story.stops[stop].host;
    fact.dsn = each.dsn;
    fact.reason = each.reply;
    return fact;
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

const lab_evidence::ends& lab_evidence::ends_by_now() const {
    const recorder& recorded = lab_.recorder();
    if (ends_ && ends_->entries == recorded.entries()) return *ends_;
    ends_ = ends{recorded.entries(), {}, {}};
    record::database* database = lab_.recorder().database();
    if (!database) return *ends_;
    const auto& servers = lab_.topology().servers;
    for (const record::message_summary& message : record::messages(*database)) {
        const record::message_trace story = record::trace(*database, message.message);
        for (std::size_t i = 0; i < story.stops.size(); ++i) {
            for (const record::trace_delivery& each : story.stops[i].deliveries) {
                const std::string relay = each.relay.substr(0, each.relay.find('['));
                const bool scripted =
                    std::any_of(servers.begin(), servers.end(), [&](const auto& s) { return s.name == relay; });
                if (each.status == "sent" && (!each.mailbox.empty() || scripted))
                    ends_->deliveries.push_back(delivery_of(story, i, each, scripted ? relay : std::string()));
                if (each.status == "bounced") ends_->bounces.push_back(bounce_of(story, i, each));
            }
        }
    }
    return *ends_;
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
