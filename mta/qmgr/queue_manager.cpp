#include "mta/qmgr/queue_manager.hpp"

#include <algorithm>
#include <tuple>

#include "mta/address/extension.hpp"
#include "mta/address/quote.hpp"
#include "mta/address/resolve.hpp"
#include "mta/address/trivial_rewrite.hpp"
#include "mta/bounce/bouncer.hpp"
#include "mta/delivery/agents.hpp"
#include "mta/master/mail_system.hpp"
#include "mta/qmgr/transport.hpp"
#include "mta/text/strings.hpp"

namespace mta::qmgr {

struct queue_manager::settings {
    duration queue_run_delay, minimal_backoff, maximal_backoff, queue_lifetime, bounce_lifetime, throttle_time;
    std::size_t active_limit, recipients_in_memory, pending_probe_limit;
    std::string double_bounce_sender;
    std::string recipient_delimiter, filter_next_hop, myhostname;
    bool adjusts_bounce_lifetime;

    explicit settings(const config::parameters& p)
        : queue_run_delay(p.duration("queue_run_delay")),
          minimal_backoff(p.duration("minimal_backoff_time")),
          maximal_backoff(p.duration("maximal_backoff_time")),
          queue_lifetime(p.duration("maximal_queue_lifetime")),
          bounce_lifetime(std::min(p.duration("bounce_queue_lifetime"), queue_lifetime)),
          throttle_time(p.duration("service_throttle_time")),
          active_limit(static_cast<std::size_t>(p.number("qmgr_message_active_limit"))),
          recipients_in_memory(static_cast<std::size_t>(p.number("qmgr_message_recipient_limit"))),
          pending_probe_limit(static_cast<std::size_t>(p.number("address_verify_pending_request_limit"))),
          double_bounce_sender(p.text("double_bounce_sender")),
          recipient_delimiter(p.text("recipient_delimiter")),
          filter_next_hop(p.text("default_filter_nexthop")),
          myhostname(p.text("myhostname")),
          adjusts_bounce_lifetime(p.duration("bounce_queue_lifetime") > queue_lifetime) {}
};

// Where a recipient goes, or nowhere when it was dealt with on the spot.
struct queue_manager::placed {
    transport* by = nullptr;
    destination* to = nullptr;
    delivery::target target;
};

queue_manager::queue_manager(master::mail_system& mail)
    : mail_(mail), settings_(std::make_unique<const settings>(mail.parameters())) {
    wake_up_.owner = this;
    scan_.owner = this;
    for (const std::string& each : mail.parameters().words("defer_transports")) deferred_transports_.insert(each);
}

queue_manager::~queue_manager() = default;

void queue_manager::start() {
    started_ = mail_.now();
    if (settings_->adjusts_bounce_lifetime) {
        mail_.warn(mail_.process_of("qmgr"),
                   "bounce_queue_lifetime is larger than maximal_queue_lifetime - adjusting bounce_queue_lifetime");
    }
    for (const queue::message& file : mail_.host().queue_files().all()) {
        for (queue::recipient& each : file->recipients) each.route = nullptr;
        switch (file->where) {
            case queue::name::active:
            case queue::name::incoming:
                file->where = queue::name::incoming;
                incoming_.push_back(file);
                break;
            case queue::name::deferred:
                deferred_[file->next_attempt].push_back(file);
                break;
            case queue::name::maildrop:
            case queue::name::hold:
            case queue::name::corrupt:
                break;
        }
    }
    scan_deferred();
    poke();
}

void queue_manager::arrived(queue::message file) {
    incoming_.push_back(std::move(file));
    poke();
}

void queue_manager::poke() {
    mail_.clock().post(wake_up_);
}

void queue_manager::released(queue::message file) {
    const time_point due = file->next_attempt;
    deferred_[due].push_back(std::move(file));
    poke();
}

void queue_manager::flush() {
    flush_some([](const queue::queue_file&) { return true; });
}

void queue_manager::flush_some(const std::function<bool(const queue::queue_file&)>& chosen) {
    for (transport* each : in_order_) each->revive_destinations();
    for (auto& [when, files] : deferred_) {
        std::vector<queue::message> others;
        for (queue::message& each : files) {
            if (chosen(*each)) {
                due_.emplace_back(std::move(each), true);
            } else {
                others.push_back(std::move(each));
            }
        }
        files = std::move(others);
    }
    std::erase_if(deferred_, [](const auto& each) { return each.second.empty(); });
    poke();
}

void queue_manager::forget(std::string_view id) {
    for (auto& [when, files] : deferred_) std::erase_if(files, [&](const auto& each) { return each->id == id; });
    std::erase_if(deferred_, [](const auto& each) { return each.second.empty(); });
    std::erase_if(due_, [&](const auto& each) { return each.first->id == id; });
    std::erase_if(incoming_, [&](const auto& each) { return each->id == id; });
}

// The scheduler's turn: fills the active queue, then hands out deliveries, until neither can go on.
void queue_manager::work() {
    if (working_) return;
    working_ = true;
    for (bool busy = true; busy;) {
        busy = activate_next();
        for (std::size_t i = 0; i < in_order_.size(); ++i) {
            while (start_one(*in_order_[i])) busy = true;
        }
    }
    working_ = false;
    for (transport* each : in_order_) {
        if (each->is_error) forget_idle_destinations(*each);
    }
    schedule_scan();
}

bool queue_manager::activate_next() {
    if (active_.size() >= settings_->active_limit) return false;
    const bool prefer_incoming = std::exchange(take_incoming_, !take_incoming_);
    if (!incoming_.empty() && (prefer_incoming || due_.empty())) {
        const queue::message file = std::move(incoming_.front());
        incoming_.pop_front();
        activate(file, false);
        return true;
    }
    if (!due_.empty()) {
        const auto [file, flushed] = std::move(due_.front());
        due_.pop_front();
        activate(file, flushed);
        return true;
    }
    return false;
}

void queue_manager::activate(queue::message file, bool flushed) {
    file->where = queue::name::active;
    mail_.host().queue_files().moved(file);
    active_message& message = active_.emplace_back();
    message.place_in_queue = std::prev(active_.end());
    message.file = file;
    message.since = mail_.now();
    message.flushed = flushed;
    // Those that are done count too: it is what the queue file says.
    mail_.log(mail_.process_of("qmgr"), file->id,
              maillog::became_active{file->sender, file->size, file->recipients.size()});
    if (!file->redirect.empty()) take_redirect(*file);
    if (file->trace == queue::tracing::verification) ++pending_probes_;
    ++message.references;
    assign_recipients(message);
    if (--message.references == 0) message_done(message);
}

// Those that are not done, by domain and address (qmgr_message_sort): they are sorted before they are resolved, so that
// the first of a destination gives it its spelling.
static std::vector<std::size_t> open_recipients(const queue::queue_file& file) {
    std::vector<std::size_t> open;
    for (std::size_t index = 0; index < file.recipients.size(); ++index) {
        if (!file.recipients[index].done) open.push_back(index);
    }
    if (open.size() < 2) return open;
    const auto key = [&](std::size_t index) {
        const std::string& address = file.recipients[index].address;
        const auto domain = address::split_at_domain(address).domain;
        return std::make_tuple(!domain, text::lowered(domain.value_or("")), std::string_view(address), index);
    };
    std::sort(open.begin(), open.end(), [&](std::size_t a, std::size_t b) { return key(a) < key(b); });
    return open;
}

// A redirected message has one delivery for all of its recipients.
void queue_manager::take_redirect(queue::queue_file& file) {
    const std::vector<std::size_t> open = open_recipients(file);
    for (const std::size_t index : open) file.recipients[index].done = index != open.front();
    if (open.empty()) return;
    file.recipients[open.front()].address = file.redirect;
    file.recipients[open.front()].route = nullptr;
}

// qmgr_message_assign: sorted, so that recipients of one destination share a delivery.
void queue_manager::assign_recipients(active_message& message) {
    std::vector<placed> all;
    const std::vector<std::size_t> open = open_recipients(*message.file);
    all.reserve(open.size());
    for (const std::size_t index : open) {
        placed one = place(message, index);
        if (one.to) all.push_back(std::move(one));
    }
    if (all.size() > 1) {
        const auto key = [](const placed& p) {
            const auto domain = address::split_at_domain(p.target.address).domain;
            return std::make_tuple(std::string_view(p.by->name), std::string_view(p.to->name),
                                   text::lowered(domain ? *domain : ""), std::string_view(p.target.address),
                                   p.target.index);
        };
        std::sort(all.begin(), all.end(), [&](const placed& a, const placed& b) { return key(a) < key(b); });
    }
    for (placed& each : all) {
        destination& to = *each.to;
        const std::size_t limit = each.by->recipient_limit;
        entry* last = to.waiting.empty() ? nullptr : to.waiting.back().get();
        if (!last || last->message != &message || (limit != 0 && last->targets.size() >= limit)) {
            to.waiting.push_back(std::make_unique<entry>());
            last = to.waiting.back().get();
            last->message = &message;
            ++message.references;
        }
        last->targets.push_back(std::move(each.target));
    }
}

void queue_manager::place_with_error(const char* service, const std::string& next_hop, placed& result) {
    result.by = &find_transport(service);
    result.to = &find_destination(*result.by, next_hop, next_hop);
}

// What could not be bounced ends here: the postmaster's notice came back.
bool queue_manager::discard_double_bounce(active_message& message, const delivery::target& to) {
    const auto parts = address::split_at_domain(to.address);
    const bool ours = text::equal_ignoring_case(parts.local, settings_->double_bounce_sender) &&
                      mail_.rewrite().is_local_domain(parts.domain.value_or("")) == address::lookup_status::found;
    if (!ours) return false;
    delivery::request request;
    request.file = message.file;
    request.became_active = message.since;
    delivery::report(mail_, mail_.process_of("qmgr"), request)
        .sent(to, "none", {"2.0.0", "undeliverable postmaster notification discarded"});
    return true;
}

// qmgr_message_resolve for one recipient.
queue_manager::placed queue_manager::place(active_message& message, std::size_t index) {
    queue::queue_file& file = *message.file;
    queue::recipient& who = file.recipients[index];
    placed result;
    result.target.index = index;
    const bool verifies = file.trace == queue::tracing::verification;
    std::string service, next_hop;
    if (!file.content_filter.empty() && !file.is_probe()) {
        // The filter has it as it is: whether there is such a recipient is asked when the message comes back.
        auto filter = address::split_transport(file.content_filter);
        result.target.address = who.address;
        service = std::move(filter.transport);
        next_hop = std::move(filter.next_hop);
        if (next_hop.empty()) next_hop = settings_->filter_next_hop;
        if (next_hop.empty()) next_hop = address::split_at_domain(who.address).domain.value_or("");
        if (next_hop.empty()) next_hop = settings_->myhostname;
    } else {
        if (!verifies && !who.route && routes_kept_ < settings_->recipients_in_memory) {
            who.route = mail_.rewrite().lasting_route(file.sender, who.address);
            if (who.route) ++routes_kept_;
        }
        const address::resolved& answer = verifies    ? mail_.rewrite().route_probe(file.sender, who.address)
                                          : who.route ? *who.route
                                                      : mail_.rewrite().route(file.sender, who.address);
        for (const std::string& each : answer.warnings) mail_.warn(mail_.process_of("trivial-rewrite"), each);
        result.target.address = answer.recipient.empty() ? who.address : answer.recipient;
        service = answer.transport;
        next_hop = answer.next_hop;
        if (discard_double_bounce(message, result.target)) return {};
    }
    const auto parts = address::split_at_domain(result.target.address);
    if (verifies && pending_probes_ > settings_->pending_probe_limit) {
        place_with_error("retry", "4.3.2 Too many address verification requests", result);
        return result;
    }
    if (deferred_transports_.contains(service) && !message.flushed) {
        place_with_error("retry", "4.3.2 deferred transport", result);
        return result;
    }
    transport& by = find_transport(service);
    if (!by.daemon) {
        mail_.warn(mail_.process_of("qmgr"), "connect to transport private/" + by.name + ": No such file or directory");
        place_with_error("retry", "4.3.0 mail transport unavailable", result);
        return result;
    }
    std::string name = text::lowered(next_hop);
    if (by.recipient_limit == 1 && !by.is_error) {
        const auto stripped = address::strip_extension(parts.local, mail_.rewrite().extensions());
        name = text::lowered(stripped ? stripped->address : std::string(parts.local)) + "@" + name;
    }
    destination& to = find_destination(by, name, next_hop);
    if (to.flow.dead()) {
        place_with_error("retry", to.suspended(), result);
        return result;
    }
    result.by = &by;
    result.to = &to;
    return result;
}

queue_manager::transport& queue_manager::find_transport(std::string_view name) {
    const auto found = transports_.find(name);
    if (found != transports_.end()) return *found->second;
    auto made = std::make_unique<transport>(std::string(name), mail_.transport(name), mail_.parameters());
    transport& result = *made;
    result.restart.manager = this;
    transports_.emplace(std::string(name), std::move(made));
    in_order_.push_back(&result);
    return result;
}

queue_manager::destination& queue_manager::find_destination(transport& by, std::string_view name,
                                                            std::string_view next_hop) {
    const auto found = by.destinations.find(name);
    if (found != by.destinations.end()) return *found->second;
    auto made = std::make_unique<destination>(std::string(name), std::string(next_hop), by, *this);
    destination& result = *made;
    by.destinations.emplace(result.name, std::move(made));
    by.turn.push_back(&result);
    result.place_in_turn = std::prev(by.turn.end());
    return result;
}

// Hands out one delivery of this transport, to the destination whose turn it is.
bool queue_manager::start_one(transport& by) {
    if (!by.daemon || by.restart.armed() || by.daemon->processes.exhausted()) return false;
    for (auto at = by.turn.begin(); at != by.turn.end(); ++at) {
        destination& to = **at;
        if (to.waiting.empty() || to.busy >= to.flow.window() || to.pausing()) continue;
        by.turn.splice(by.turn.end(), by.turn, at);
        std::unique_ptr<entry> work = std::move(to.waiting.front());
        to.waiting.pop_front();
        hand_out(by, to, std::move(work));
        return true;
    }
    return false;
}

void queue_manager::hand_out(transport& by, destination& to, std::unique_ptr<entry> work) {
    ++to.busy;
    delivery::request& request = work->request;
    request.file = work->message->file;
    request.targets = std::move(work->targets);
    request.transport = by.name;
    request.next_hop = to.next_hop;
    request.became_active = work->message->since;
    request.handed_out = mail_.now();
    request.flushed = work->message->flushed;
    to.choose_caching(mail_.now());
    request.use_cached_connection = to.uses_cached;
    request.keep_connection = to.keeps;
    if (mail_.agents().is_immediate(*by.daemon)) {
        const auto process = by.daemon->processes.take(mail_.clock());
        mail_.agents().deliver_now(*by.daemon, process.process(), request);
        finished(by, to, *work);
    } else {
        mail_.tasks().start(deliver(by, to, std::move(work)));
    }
}

task<void> queue_manager::deliver(transport& by, destination& to, std::unique_ptr<entry> work) {
    const bool served = co_await run_agent(by, work->request);
    if (served) {
        finished(by, to, *work);
    } else {
        take_back(by, to, std::move(work));
    }
    poke();
}

// False: the agent could not start, its configuration is fatal.
task<bool> queue_manager::run_agent(transport& by, delivery::request& work) {
    auto process = by.daemon->processes.take(mail_.clock());
    std::string last_words;
    try {
        co_await mail_.agents().deliver(*by.daemon, process.process(), work);
    } catch (const config::fatal& e) {
        mail_.daemon_failed(*by.daemon, process.process(), e);
        co_return false;
    } catch (const delivery::agent_died& e) {
        last_words = e.what();
    }
    if (last_words.empty()) co_return true;
    mail_.log(process.process(), {}, maillog::remark{maillog::level::fatal, last_words});
    co_await sleep_for(mail_.clock(), std::chrono::seconds(1));
    mail_.warn(mail_.process_of("qmgr"), fmt::format("private/{} socket: malformed response", by.name));
    const bool at_once = process.first_use();
    mail_.daemon_ended(*by.daemon, process.process(), at_once);
    if (at_once) mail_.clock().arm(by.restart, mail_.now() + settings_->throttle_time);
    process.end_process();
    co_return true;
}

// master(8) starts no such agent for a while; the delivery stays where it was, first in line.
void queue_manager::take_back(transport& by, destination& to, std::unique_ptr<entry> work) {
    --to.busy;
    work->targets = std::move(work->request.targets);
    work->request = {};
    to.waiting.push_front(std::move(work));
    mail_.clock().arm(by.restart, mail_.now() + settings_->throttle_time);
}

// qmgr_deliver_update
void queue_manager::finished(transport& by, destination& to, entry& work) {
    --to.busy;
    to.last_done = std::chrono::floor<std::chrono::seconds>(mail_.now());
    active_message& message = *work.message;
    if (work.request.site_failure) {
        if (to.flow.failed(*work.request.site_failure)) declare_dead(by, to);
    } else {
        to.flow.succeeded(to.busy + 1);
    }
    to.pause_for(by.rate_delay, mail_.clock());
    if (--message.references == 0) message_done(message);
    forget_if_idle(by, to);
}

// What waits for a dead destination is deferred at once, by the retry service.
void queue_manager::declare_dead(transport&, destination& to) {
    mail_.clock().arm(to.revival, mail_.now() + settings_->minimal_backoff);
    const std::string next_hop = to.suspended();
    transport& retry = find_transport("retry");
    if (!retry.daemon) return;
    destination& instead = find_destination(retry, next_hop, next_hop);
    for (auto& each : to.waiting) instead.waiting.push_back(std::move(each));
    to.waiting.clear();
}

void queue_manager::forget_if_idle(transport& by, destination& to) {
    if (to.busy > 0 || !to.waiting.empty() || to.flow.dead() || to.pausing()) return;
    // A text of the error service comes with the next message again: kept until this round's end.
    if (by.is_error && working_) return;
    by.turn.erase(to.place_in_turn);
    by.destinations.erase(by.destinations.find(to.name));
}

void queue_manager::forget_idle_destinations(transport& by) {
    for (auto at = by.destinations.begin(); at != by.destinations.end();) {
        destination& each = *(at++)->second;
        forget_if_idle(by, each);
    }
}

// qmgr_active_done: all recipients were tried.
void queue_manager::message_done(active_message& message) {
    queue::queue_file& file = *message.file;
    const duration age = mail_.now() - file.arrived;
    if (file.trace == queue::tracing::verification) --pending_probes_;
    if (!file.bounces.empty() || !file.traces.empty()) mail_.bounce().send_notices(file);
    if (file.all_done()) return remove(message);
    const duration lifetime = file.sender.empty() ? settings_->bounce_lifetime : settings_->queue_lifetime;
    if (age >= lifetime || file.forced_expired) {
        mail_.log(mail_.process_of("qmgr"), file.id, maillog::expired{file.sender, file.forced_expired});
        mail_.bounce().return_expired(file);
        return remove(message);
    }
    if (mail_.now() >= file.warn_after) {
        file.warn_after = never;
        mail_.bounce().warn_of_delay(file);
    }
    defer(message);
}

void queue_manager::defer(active_message& message) {
    const queue::message file = message.file;
    active_.erase(message.place_in_queue);
    // In whole seconds, as the times of queue files are: else a message would miss the scan that it is due at.
    const time_point now = std::chrono::floor<std::chrono::seconds>(mail_.now());
    const duration age = now - std::chrono::floor<std::chrono::seconds>(file->arrived);
    file->where = queue::name::deferred;
    file->next_attempt = now + std::clamp(age, settings_->minimal_backoff,
                                          std::max(settings_->minimal_backoff, settings_->maximal_backoff));
    mail_.host().queue_files().moved(file);
    deferred_[file->next_attempt].push_back(file);
}

void queue_manager::remove(active_message& message) {
    const queue::message file = message.file;
    for (const queue::recipient& each : file->recipients) routes_kept_ -= each.route ? 1 : 0;
    active_.erase(message.place_in_queue);
    mail_.host().queue_files().remove(file->id);
    mail_.log(mail_.process_of("qmgr"), file->id, maillog::removed{});
}

// The deferred queue is scanned every queue_run_delay from the start on; scans that would find nothing are left out.
void queue_manager::schedule_scan() {
    if (deferred_.empty()) return;
    const time_point wanted = std::max(deferred_.begin()->first, mail_.now());
    const auto runs = (wanted - started_ + settings_->queue_run_delay - duration(1)) / settings_->queue_run_delay;
    const time_point due = started_ + runs * settings_->queue_run_delay;
    if (!scan_.armed() || scan_.due() > due) mail_.clock().arm(scan_, due);
}

void queue_manager::scan_deferred() {
    while (!deferred_.empty() && deferred_.begin()->first <= mail_.now()) {
        for (queue::message& each : deferred_.begin()->second) due_.emplace_back(std::move(each), false);
        deferred_.erase(deferred_.begin());
    }
    poke();
}

}  // namespace mta::qmgr
