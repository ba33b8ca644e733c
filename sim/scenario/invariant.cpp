#include "sim/scenario/invariant.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <tuple>
#include <utility>
#include <variant>

#include "mta/text/name_table.hpp"
#include "mta/text/strings.hpp"

namespace sim::scenario {
namespace {

namespace log = mta::maillog;
namespace text = mta::text;

// One queue file's life, as the log tells it.
struct message {
    std::string id;
    bool from_client = false;  // smtpd spoke of it: nothing is promised before its 250
    bool promised = false;     // "250 ... queued as", pickup(8), or a part of the mail system made it
    bool active = false;
    bool removed = false;
    bool deleted = false;     // by postsuper(1)
    bool requeued = false;    // pickup took it up again under another id
    bool discarded = false;   // by a rule
    bool redirected = false;  // by a rule: one end for all recipients
    bool rejected = false;    // by a rule, while it came in
    bool expired = false;
    bool given_up = false;       // cleanup or pickup said that it failed
    bool passed_on = false;      // local(8) let another delivery agent do it, and that once for each name an alias has
    bool after_the_end = false;  // a line came after "removed"
    std::size_t recipients = 0;  // nrcpt=
    std::size_t ended = 0;       // last lines of recipients that local(8) did not write
    std::size_t ended_locally = 0;
    std::map<std::string, std::size_t> last_lines;  // by recipient and original one, not local(8)'s

    // Its host answers for it.
    bool accepted() const { return promised || active || removed || discarded; }
};

// A host's messages by queue id. Lines of a busy queue come in the order of the round before, so the next message in
// order of appearance is tried first: it lies next to the last one, a look-up by name does not.
class message_book {
  public:
    message* find(std::string_view id) {
        for (std::size_t next = latest_; next < all_.size() && next <= latest_ + 1; ++next) {
            if (all_[next].id == id) return &all_[latest_ = next];
        }
        const auto known = by_id_.find(id);
        return known != by_id_.end() ? &all_[latest_ = known->second] : nullptr;
    }
    const message* find(std::string_view id) const {
        const auto known = by_id_.find(id);
        return known != by_id_.end() ? &all_[known->second] : nullptr;
    }
    message& obtain(std::string_view id) {
        if (message* const known = find(id)) return *known;
        by_id_.emplace(id, latest_ = all_.size());
        message& added = all_.emplace_back();
        added.id = id;
        return added;
    }
    const std::deque<message>& all() const { return all_; }

  private:
    std::deque<message> all_;
    text::name_table<std::size_t> by_id_;
    std::size_t latest_ = 0;
};

struct relayed {
    std::string from_host, from_id;
    std::string to_host, to_id;
    std::string recipient;
};

struct host {
    std::set<std::string> addresses;
    message_book messages;
    std::map<std::string, mta::queue::message> queue;
    std::set<std::string> ever;                  // ids that were accepted, also of files whose id came again
    std::map<std::string, std::string> notices;  // id -> the id it is about
    std::map<unsigned, std::size_t> handed_back, picked_up;  // by uid
    bool lost_some_to_postsuper = false;                     // "Deleted: N messages" names none of them
    std::set<int> discarding;                                // processes of smtpd whose next message goes nowhere
    std::set<int> redirecting;                               // or elsewhere
};

bool is_end(std::string_view status) {
    return status == "sent" || status == "bounced" || status.starts_with("deliverable") ||
           status.starts_with("undeliverable");
}

std::string_view daemon_of(const log::process& by) {
    const std::string_view tag = by.tag;
    return tag.substr(tag.rfind('/') == tag.npos ? 0 : tag.rfind('/') + 1);
}

// The id in "250 2.0.0 Ok: queued as 4C12A5", or "".
std::string_view queued_as(std::string_view reply) {
    constexpr std::string_view words = "queued as ";
    if (!reply.starts_with("250")) return "";
    const std::size_t at = reply.rfind(words);
    if (at == reply.npos) return "";
    const std::string_view id = reply.substr(at + words.size());
    std::size_t length = 0;
    while (length < id.size() && text::is_alnum(id[length])) ++length;
    return id.substr(0, length);
}

// The id in local(8)'s "forwarded as 4C12A5", or "".
std::string_view forwarded_as(std::string_view reason) {
    constexpr std::string_view words = "forwarded as ";
    return reason.starts_with(words) ? reason.substr(words.size()) : std::string_view();
}

// The address in "mail.york.cc[192.168.137.5]:25", or "".
std::string_view relay_address(std::string_view relay) {
    const std::size_t open = relay.find('['), close = relay.find(']');
    return open == relay.npos || close == relay.npos || close < open ? "" : relay.substr(open + 1, close - open - 1);
}

std::string count_of(std::size_t n, std::string_view what) {
    return std::to_string(n) + " " + std::string(what) + (n == 1 ? "" : "s");
}

}  // namespace

struct conservation::state {
    std::map<std::string, host, std::less<>> hosts;
    std::vector<relayed> relays;
    std::vector<violation> found;  // of files whose id came again

    host& at(std::string_view name) {
        const auto known = hosts.find(name);
        return known != hosts.end() ? known->second : hosts[std::string(name)];
    }
    std::string host_with(std::string_view address) const {
        for (const auto& [name, each] : hosts) {
            if (each.addresses.contains(std::string(address))) return name;
        }
        return "";
    }

    void note(std::string_view where, const log::entry& entry);
    message& file(std::string_view where, std::string_view id, bool begins);
    void note_delivery(std::string_view where, const log::entry& entry, const log::delivery& d);
    void note_relay(relayed handed);
    void note_command(std::string_view where, const log::command& c);
    void note_remark(std::string_view where, const log::entry& entry, const log::remark& r);

    void judge_all(std::vector<violation>& out) const;
    void judge(const std::string& where, const message& m, std::vector<violation>& out) const;
    void judge_ends(const std::string& where, const message& m, std::vector<violation>& out) const;
    void judge_waiting(const std::string& where, const message& m, const mta::queue::queue_file& file,
                       std::vector<violation>& out) const;
    void judge_relays(std::vector<violation>& out) const;
    void judge_hand_overs(const std::string& where, const host& h, std::vector<violation>& out) const;
};

// `begins`: the line can only be the first of a file, or one of its first. Queue ids come again once a file is removed.
message& conservation::state::file(std::string_view where, std::string_view id, bool begins) {
    message& m = at(where).messages.obtain(id);
    if (!m.removed) return m;
    if (begins) {
        judge(std::string(where), m, found);
        m = message{};
        m.id = id;
    } else {
        m.after_the_end = true;
    }
    return m;
}

void conservation::state::note_delivery(std::string_view where, const log::entry& entry, const log::delivery& d) {
    message& m = file(where, entry.queue_id, false);
    if (daemon_of(entry.by) == "cleanup") {
        // It bounces what a rule of header_checks or the like rejects on its way in: these recipients are in no count.
        m.rejected = true;
        return;
    }
    if (!is_end(d.status)) return;
    if (daemon_of(entry.by) == "local") {
        ++m.ended_locally;
        const std::string_view next = forwarded_as(d.text);
        if (!next.empty()) {
            note_relay({std::string(where), std::string(entry.queue_id), std::string(where), std::string(next),
                        std::string(d.recipient)});
        }
    } else {
        ++m.ended;
        ++m.last_lines[std::string(d.recipient) + '\n' + std::string(d.original_recipient)];
    }
    const std::string_view id = queued_as(d.text);
    if (d.status != "sent" || id.empty()) return;
    const std::string_view address = relay_address(d.relay);
    std::string next = address.starts_with("127.") || address == "::1" ? std::string(where) : host_with(address);
    if (next.empty()) return;
    note_relay(
        {std::string(where), std::string(entry.queue_id), std::move(next), std::string(id), std::string(d.recipient)});
}

// Only what is not known yet is kept for the end: in a long run nearly everything is.
void conservation::state::note_relay(relayed handed) {
    const message* const there = at(handed.to_host).messages.find(handed.to_id);
    if (!there || !there->accepted()) relays.push_back(std::move(handed));
}

void conservation::state::note_command(std::string_view where, const log::command& c) {
    const std::string_view id = c.at_client ? std::string_view() : queued_as(c.reply);
    if (id.empty()) return;
    at(where).messages.obtain(id).promised = true;
    at(where).ever.emplace(id);
}

// "warning: maildrop/1A2B: error writing 3C4D: queue file write error": the file stays where it came from. And
// "passing <a@b> to transport=smtp".
void conservation::state::note_remark(std::string_view where, const log::entry& entry, const log::remark& r) {
    const std::string_view by = daemon_of(entry.by);
    auto& messages = at(where).messages;
    if (by == "postsuper" && r.text.starts_with("Deleted: ")) at(where).lost_some_to_postsuper = true;
    if (r.text.starts_with("passing <")) {
        if (message* const passed = messages.find(entry.queue_id)) passed->passed_on = true;
    }
    if (r.severity == log::level::info || (by != "cleanup" && by != "pickup")) return;
    auto names = text::split(r.text, " :/,()<>");
    names.push_back(entry.queue_id);
    for (const std::string_view name : names) {
        message* const named = messages.find(name);
        if (named && !named->active && !named->removed) named->given_up = true;
    }
}

void conservation::state::note(std::string_view where, const log::entry& entry) {
    if (const auto* command = std::get_if<log::command>(&entry.what)) return note_command(where, *command);
    if (const auto* remark = std::get_if<log::remark>(&entry.what)) return note_remark(where, entry, *remark);
    const std::string_view id = entry.queue_id;
    const auto* rule = std::get_if<log::verdict>(&entry.what);
    // smtpd drops a message for its first recipient before there is a queue file to name.
    auto& discarding = at(where).discarding;
    auto& redirecting = at(where).redirecting;
    if (rule && rule->action == "discard" && id == "NOQUEUE") discarding.insert(entry.by.pid);
    if (rule && rule->action == "redirect" && id == "NOQUEUE") redirecting.insert(entry.by.pid);
    if (std::holds_alternative<log::disconnected>(entry.what)) {
        discarding.erase(entry.by.pid);
        redirecting.erase(entry.by.pid);
    }
    if (id.empty() || id == "NOQUEUE") return;
    if (std::holds_alternative<log::client_assigned>(entry.what)) {
        message& m = file(where, id, true);
        m.from_client = true;
        m.discarded = discarding.erase(entry.by.pid) > 0;
        m.redirected = redirecting.erase(entry.by.pid) > 0;
    } else if (const auto* picked = std::get_if<log::picked_up>(&entry.what)) {
        file(where, id, true).promised = true;
        at(where).ever.emplace(id);
        if (picked->original_id.empty()) {
            ++at(where).picked_up[picked->uid];
        } else {
            file(where, picked->original_id, false).requeued = true;
        }
    } else if (std::holds_alternative<log::message_id_seen>(entry.what)) {
        message& m = file(where, id, true);
        // Neither smtpd nor pickup: a bounce, a notice, or what local(8) forwards.
        if (!m.from_client) m.promised = true;
    } else if (const auto* active = std::get_if<log::became_active>(&entry.what)) {
        message& m = file(where, id, false);
        if (!m.active) at(where).ever.emplace(id);
        m.active = true;
        m.recipients = std::max(m.recipients, active->recipient_count);
    } else if (rule) {
        message& m = file(where, id, false);
        if (rule->action == "discard") m.discarded = true;
        if (rule->action == "redirect") m.redirected = true;
        // smtpd's are for one recipient, or come instead of the 250.
        if (rule->action == "reject" && daemon_of(entry.by) == "cleanup") m.rejected = true;
    } else if (const auto* delivery = std::get_if<log::delivery>(&entry.what)) {
        note_delivery(where, entry, *delivery);
    } else if (std::holds_alternative<log::expired>(entry.what)) {
        file(where, id, false).expired = true;
    } else if (const auto* notice = std::get_if<log::notification>(&entry.what)) {
        at(where).notices.emplace(notice->queue_id, id);
    } else if (std::holds_alternative<log::removed>(entry.what)) {
        message& m = file(where, id, false);
        m.removed = true;
        if (daemon_of(entry.by) == "postsuper") m.deleted = true;
        if (m.ended <= m.recipients) m.last_lines.clear();
    }
}

void conservation::state::judge(const std::string& where, const message& m, std::vector<violation>& out) const {
    const host& h = hosts.at(where);
    const auto waiting = h.queue.find(m.id);
    const bool in_queue = waiting != h.queue.end();
    const auto say = [&](std::string what) { out.push_back({where, m.id, std::move(what)}); };

    if (m.after_the_end) say("there are log lines of the message after it was removed");
    if (m.removed && in_queue)
        say("the message was removed and is still in the " + std::string(to_string(waiting->second->where)) + " queue");
    if (m.active) judge_ends(where, m, out);
    if (in_queue && !m.removed) return judge_waiting(where, m, *waiting->second, out);
    const bool at_rest = m.removed || m.requeued || m.deleted || m.discarded;
    if (at_rest) return;
    if (m.active && h.lost_some_to_postsuper) return;
    if (m.active) return say("the message is in no queue, though nothing says that it was removed");
    if (m.promised && !m.rejected && !m.given_up) say("the message was accepted, and never heard of again");
}

// Whether there are as many last lines as recipients.
void conservation::state::judge_ends(const std::string& where, const message& m, std::vector<violation>& out) const {
    const auto say = [&](std::string what) { out.push_back({where, m.id, std::move(what)}); };
    if (m.ended > m.recipients && !m.passed_on) {
        const auto most = std::ranges::max_element(m.last_lines, {}, [](const auto& each) { return each.second; });
        const std::string address = most->first.substr(0, most->first.find('\n'));
        say(count_of(m.recipients, "recipient") + " came to " + count_of(m.ended, "end") +
            (most->second > 1 ? ": " + address + " to " + std::to_string(most->second) : ""));
    }
    const std::size_t ends = m.ended + m.ended_locally;
    const bool gone = m.removed && !m.deleted && !m.requeued && !m.expired && !m.discarded && !m.redirected;
    if (gone && ends < m.recipients) {
        say(std::to_string(m.recipients - ends) + " of " + count_of(m.recipients, "recipient") +
            " came to no end before the message was removed");
    }
}

// What the queue file says against what the log says.
void conservation::state::judge_waiting(const std::string& where, const message& m, const mta::queue::queue_file& file,
                                        std::vector<violation>& out) const {
    const std::string queue(to_string(file.where));
    const auto say = [&](std::string what) { out.push_back({where, m.id, std::move(what)}); };
    if (m.discarded) say("the message was discarded and is still in the " + queue + " queue");
    if (m.expired && file.where != mta::queue::name::active)
        say("the message was returned as expired and is still in the " + queue + " queue");
    if (!m.active || m.redirected) return;
    std::map<std::string, std::size_t> open;
    std::size_t done = 0;
    for (const auto& each : file.recipients) {
        if (each.done) {
            ++done;
        } else {
            ++open[text::lowered(each.address)];
        }
    }
    if (done > m.ended + m.ended_locally) {
        say(count_of(done, "recipient") + " marked as done in the " + queue + " queue, with " +
            count_of(m.ended + m.ended_locally, "end") + " in the log");
    }
    std::map<std::string, std::size_t> ended;
    for (const auto& [key, times] : m.last_lines) ended[text::lowered(key.substr(0, key.find('\n')))] += times;
    std::map<std::string, std::size_t> all;
    for (const auto& each : file.recipients) ++all[text::lowered(each.address)];
    for (const auto& [address, times] : open) {
        const auto found_end = ended.find(address);
        if (found_end != ended.end() && found_end->second + times > all[address]) {
            say(address + " came to an end and still waits in the " + queue + " queue");
        }
    }
    // Once all are done it may still owe its sender a notice.
    const bool owes = !file.bounces.empty() || !file.traces.empty();
    if (file.all_done() && !owes && !file.recipients.empty() && file.where != mta::queue::name::active) {
        say("all recipients are done and the message is still in the " + queue + " queue");
    }
}

void conservation::state::judge_relays(std::vector<violation>& out) const {
    for (const relayed& each : relays) {
        const host& next = hosts.at(each.to_host);
        const message* const there = next.messages.find(each.to_id);
        const bool accepted =
            next.ever.contains(each.to_id) || next.queue.contains(each.to_id) || (there && there->accepted());
        if (accepted) continue;
        out.push_back({each.from_host, each.from_id,
                       each.recipient + " was relayed to " + each.to_host + " as " + each.to_id +
                           ", which that host knows nothing of"});
    }
}

void conservation::state::judge_hand_overs(const std::string& where, const host& h, std::vector<violation>& out) const {
    for (const auto& [notice, about] : h.notices) {
        if (h.queue.contains(notice)) continue;
        const message* const there = h.messages.find(notice);
        if (there && there->accepted()) continue;
        out.push_back({where, about, "the notice " + notice + " was announced, and never queued"});
    }
    for (const auto& [uid, given] : h.handed_back) {
        std::size_t taken = 0;
        if (const auto picked = h.picked_up.find(uid); picked != h.picked_up.end()) taken = picked->second;
        for (const auto& [id, file] : h.queue) {
            if (file->where == mta::queue::name::maildrop && file->uid == uid && file->original_id.empty()) ++taken;
        }
        if (taken >= given) continue;
        out.push_back({where, "",
                       "content filters gave " + count_of(given, "message") + " back, and " + std::to_string(taken) +
                           " came to the queue"});
    }
}

void conservation::state::judge_all(std::vector<violation>& out) const {
    for (const auto& [where, h] : hosts) {
        for (const message& m : h.messages.all()) judge(where, m, out);
        judge_hand_overs(where, h, out);
    }
    judge_relays(out);
}

conservation::conservation() : state_(std::make_unique<state>()) {}
conservation::~conservation() = default;

void conservation::add_host(std::string_view name, const std::vector<std::string>& addresses) {
    state_->at(name).addresses.insert(addresses.begin(), addresses.end());
}

void conservation::add(std::string_view host, const mta::maillog::entry& entry) {
    state_->note(host, entry);
}

void conservation::add_handed_back(std::string_view host, unsigned uid) {
    ++state_->at(host).handed_back[uid];
}

void conservation::add_queue(std::string_view host, const std::vector<mta::queue::message>& files) {
    auto& queue = state_->at(host).queue;
    queue.clear();
    for (const auto& each : files) queue[each->id] = each;
}

std::vector<violation> conservation::violations() const {
    std::vector<violation> result = state_->found;
    state_->judge_all(result);
    std::ranges::sort(result, {}, [](const violation& each) { return std::tie(each.host, each.queue_id, each.text); });
    return result;
}

std::string to_string(const violation& v) {
    return v.host + ": " + (v.queue_id.empty() ? "" : v.queue_id + ": ") + v.text;
}

}  // namespace sim::scenario
