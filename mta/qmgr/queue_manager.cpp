#include "mta/qmgr/queue_manager.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "mta/bounce/bouncer.hpp"
#include "mta/delivery/agents.hpp"
#include "mta/master/mail_system.hpp"
#include "mta/qmgr/fetch.hpp"
#include "mta/qmgr/transport.hpp"
#include "mta/queue/verp.hpp"
#include "mta/text/strings.hpp"

namespace mta::qmgr {

namespace {

// How long a message is left alone that an agent still holds.
constexpr duration rest_while_held = std::chrono::minutes(1);

// An agent's lock on the queue file, for as long as it works on its request.
class shared_lock {
  public:
    explicit shared_lock(queue::message file) : file_(std::move(file)) { ++file_->held_by_agents; }
    ~shared_lock() { --file_->held_by_agents; }
    shared_lock(const shared_lock&) = delete;

  private:
    queue::message file_;
};

}  // namespace

queue_manager::queue_manager(master::mail_system& mail)
    : mail_(mail),
      settings_(std::make_unique<const settings>(mail.parameters())),
      jobs_(std::make_unique<job_store>()),
      active_(std::make_unique<active_queue>()) {
    wake_up_.owner = this;
    scan_.owner = this;
    wakeup_.owner = this;
    for (const std::string& each : mail.parameters().words("defer_transports")) deferred_transports_.insert(each);
}

queue_manager::~queue_manager() = default;

void queue_manager::start() {
    started_ = mail_.now();
    if (settings_->adjusts_recipient_limit) {
        mail_.warn(mail_.process_of("qmgr"),
                   "qmgr_message_recipient_limit is smaller than qmgr_message_active_limit - adjusting "
                   "qmgr_message_recipient_limit");
    }
    if (settings_->adjusts_bounce_lifetime) {
        mail_.warn(own_process(),
                   "bounce_queue_lifetime is larger than maximal_queue_lifetime - adjusting bounce_queue_lifetime");
    }
    for (const queue::message& file : mail_.host().queue_files().all()) {
        for (queue::recipient& each : file->recipients) each.route = nullptr;
        switch (file->where) {
            case queue::name::active:
                file->next_attempt = {};
                [[fallthrough]];
            case queue::name::incoming:
                file->where = queue::name::incoming;
                if (file->next_attempt > mail_.now()) {
                    young_.push_back(file);
                } else {
                    incoming_.push_back(file);
                }
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

void queue_manager::retire() {
    retired_ = true;
    mail_.clock().disarm(scan_);
    mail_.clock().disarm(wakeup_);
    incoming_.clear();
    young_.clear();
    due_.clear();
    deferred_.clear();
}

void queue_manager::arrived(queue::message file) {
    incoming_.push_back(std::move(file));
    scan_incoming();
}

// Whoever wakes the queue manager has it look at all of the incoming queue.
void queue_manager::scan_incoming() {
    for (queue::message& each : young_) {
        if (each->next_attempt <= mail_.now()) incoming_.push_back(std::move(each));
    }
    std::erase(young_, nullptr);
    poke();
}

// An agent from before a reload still has the message.
void queue_manager::skip(queue::message file) {
    mail_.log(own_process(), file->id, maillog::remark{maillog::level::info, "skipped, still being delivered"});
    file->where = queue::name::incoming;
    file->next_attempt = std::chrono::floor<std::chrono::seconds>(mail_.now()) + rest_while_held;
    mail_.host().queue_files().moved(file);
    young_.push_back(std::move(file));
}

std::int64_t queue_manager::seconds_now() const {
    return std::chrono::floor<std::chrono::seconds>(mail_.now()).time_since_epoch().count();
}

const maillog::process& queue_manager::own_process() {
    if (!own_process_) own_process_ = &mail_.process_of("qmgr");
    return *own_process_;
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
        std::deque<queue::message> others;
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
    for (queue::message& each : young_) {
        if (chosen(*each)) due_.emplace_back(std::move(each), true);
    }
    std::erase(young_, nullptr);
    poke();
}

void queue_manager::forget(std::string_view id) {
    for (auto& [when, files] : deferred_) std::erase_if(files, [&](const auto& each) { return each->id == id; });
    std::erase_if(deferred_, [](const auto& each) { return each.second.empty(); });
    std::erase_if(due_, [&](const auto& each) { return each.first->id == id; });
    std::erase_if(young_, [&](const auto& each) { return each->id == id; });
    std::erase_if(incoming_, [&](const auto& each) { return each->id == id; });
}

// What a transport's parameters are is read when the first message goes there; the process may end of it.
void queue_manager::take_turn() {
    try {
        work();
    } catch (const config::fatal& why) {
        mail_.queue_manager_failed(why);
    }
}

// The scheduler's turn: fills the active queue, then hands out deliveries, until neither can go on.
void queue_manager::work() {
    if (working_ || retired_) return;
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
    if (active_->size >= settings_->active_limit) return false;
    const bool prefer_incoming = std::exchange(take_incoming_, !take_incoming_);
    if (!incoming_.empty() && (prefer_incoming || due_.empty())) {
        queue::message file = std::move(incoming_.front());
        incoming_.pop_front();
        activate(std::move(file), false);
        return true;
    }
    if (!due_.empty()) {
        auto [file, flushed] = std::move(due_.front());
        due_.pop_front();
        if (due_.size() >= 3) {
            fetch_addresses(*due_[0].first);
            fetch_recipients(*due_[1].first);
            fetch_file(*due_[2].first);
        }
        activate(std::move(file), flushed);
        return true;
    }
    return false;
}

void queue_manager::activate(queue::message taken, bool flushed) {
    if (taken->held_by_agents > 0) return skip(std::move(taken));
    active_message& message = active_->add(settings_->minimum_recipients);
    message.file = std::move(taken);
    message.since = mail_.now();
    message.flushed = flushed;
    message.queued = seconds_now();
    queue::queue_file& file = *message.file;
    message.unread = file.recipients.size();
    file.where = queue::name::active;
    mail_.host().queue_files().moved(message.file);
    mail_.log(own_process(), file.id, maillog::became_active{file.sender, file.size, message.unread});
    if (!file.redirect.empty()) take_redirect(file);
    if (file.trace == queue::tracing::verification) ++pending_probes_;
    ++message.references;
    assign_recipients(message);
    if (--message.references == 0) message_done(message);
}

queue_manager::transport& queue_manager::find_transport(std::string_view name) {
    const auto found = transports_.find(name);
    if (found != transports_.end()) return *found->second;
    auto made = std::make_unique<transport>(std::string(name), mail_.transport(name), mail_.parameters(), *jobs_);
    transport& result = *made;
    for (std::string& each : result.complaints) mail_.warn(own_process(), std::move(each));
    result.is_immediate = result.daemon && mail_.agents().is_immediate(*result.daemon);
    result.restart.manager = this;
    result.next_start.manager = this;
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
    return result;
}

// Hands out one delivery of this transport.
bool queue_manager::start_one(transport& by) {
    if (!by.daemon || by.open_destinations == 0 || by.restart.armed() || by.next_start.armed()) return false;
    if (by.daemon->processes.exhausted()) return false;
    entry_handle work = by.jobs.select(seconds_now(), *this);
    if (!work) return false;
    if (by.pace.count() > 0) mail_.clock().arm(by.next_start, mail_.now() + by.pace);
    destination& to = static_cast<destination&>(work->by->to);
    hand_out(by, to, std::move(work));
    return true;
}

void queue_manager::hand_out(transport& by, destination& to, entry_handle work) {
    ++to.busy;
    to.recount();
    to.choose_caching(mail_.now());
    delivery::request request = request_for(by, to, *work);
    if (by.is_immediate) {
        const auto process = by.daemon->processes.take(mail_.clock());
        mail_.agents().deliver_now(*by.daemon, process.process(), request);
        finished(by, to, *work, request);
    } else {
        mail_.tasks().start(deliver(by, to, std::move(work), std::move(request)));
    }
}

delivery::request queue_manager::request_for(const transport& by, const destination& to, entry& work) {
    const active_message& message = static_cast<active_message&>(*work.message);
    message.fetch_the_next();
    delivery::request request;
    request.file = message.file;
    request.targets = work.targets();
    request.transport = by.name;
    request.next_hop = to.next_hop;
    request.became_active = message.since;
    request.handed_out = mail_.now();
    request.flushed = message.flushed;
    if (queue::is_verp(*message.file)) {
        const queue::recipient& who = request.recipient(request.targets.front());
        request.verp_sender = queue::verp_sender(*message.file, who.original, who.address);
    }
    request.use_cached_connection = to.uses_cached;
    request.keep_connection = to.keeps;
    return request;
}

task<void> queue_manager::deliver(transport& by, destination& to, entry_handle work, delivery::request request) {
    const bool served = co_await run_agent(by, request);
    if (retired_) co_return;
    if (served) {
        finished(by, to, *work, request);
    } else {
        take_back(by, to, std::move(work));
    }
    poke();
}

// False: the agent could not start, its configuration is fatal.
task<bool> queue_manager::run_agent(transport& by, delivery::request& work) {
    const shared_lock held(work.file);
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
    if (retired_) co_return true;
    co_await sleep_for(mail_.clock(), std::chrono::seconds(1));
    mail_.warn(own_process(), fmt::format("private/{} socket: malformed response", by.name));
    const bool at_once = !process.used_before();
    mail_.daemon_ended(*by.daemon, process.process(), at_once);
    if (at_once) mail_.clock().arm(by.restart, mail_.now() + settings_->throttle_time);
    process.end_process();
    co_return true;
}

// master(8) starts no such agent for a while; the delivery stays where it was, first in line.
void queue_manager::take_back(transport& by, destination& to, entry_handle work) {
    --to.busy;
    by.jobs.unselect(std::move(work));
    to.recount();
    mail_.clock().arm(by.restart, mail_.now() + settings_->throttle_time);
}

// qmgr_deliver_update
void queue_manager::finished(transport& by, destination& to, entry& work, const delivery::request& request) {
    --to.busy;
    to.last_done = std::chrono::floor<std::chrono::seconds>(mail_.now());
    active_message& message = static_cast<active_message&>(*work.message);
    if (request.site_failure) {
        if (to.flow.failed(*request.site_failure)) declare_dead(by, to);
    } else {
        to.flow.succeeded(to.busy + 1);
    }
    recipients_in_memory_ -= static_cast<std::int64_t>(work.recipients);
    by.jobs.done(work);
    to.pause_for(by.rate_delay, mail_.clock());
    to.recount();
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
    while (entry* each = to.waiting.first()) retry.jobs.take_over(*each, instead);
    to.recount();
    instead.recount();
}

void queue_manager::forget_if_idle(transport& by, destination& to) {
    if (to.busy > 0 || !to.waiting.empty() || to.flow.dead() || to.pausing()) return;
    // A text of the error service comes with the next message again: kept until this round's end.
    if (by.is_error && working_) return;
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
    const bool told = mail_.bounce().send_notices(file);
    if (message.more_on_file) {
        ++message.references;
        while (message.more_on_file && message.references == 1) assign_recipients(message);
        if (--message.references > 0) return poke();
    }
    if (!told) return bounce_failed(message);
    if (file.all_done()) return remove(message);
    const duration lifetime = file.sender.empty() ? settings_->bounce_lifetime : settings_->queue_lifetime;
    if (age >= lifetime || file.forced_expired) {
        mail_.log(own_process(), file.id, maillog::expired{file.sender, file.forced_expired});
        return mail_.bounce().return_expired(file) ? remove(message) : bounce_failed(message);
    }
    // In whole seconds, and one early.
    const auto second = [](time_point when) { return std::chrono::floor<std::chrono::seconds>(when); };
    if (file.warn_after != never && second(mail_.now()) >= second(file.warn_after) - std::chrono::seconds(1)) {
        file.warn_after = never;
        file.reports_clearing = settings_->confirms_clearing;
        mail_.bounce().warn_of_delay(file);
    }
    defer(message);
}

void queue_manager::bounce_failed(active_message& message) {
    mail_.log(own_process(), message.file->id,
              maillog::remark{maillog::level::info, "status=deferred (bounce failed)"});
    defer(message);
}

void queue_manager::defer(active_message& message) {
    queue::message file = std::move(message.file);
    message.leave();
    active_->remove(message);
    // In whole seconds, as the times of queue files are: else a message would miss the scan that it is due at.
    const time_point now = std::chrono::floor<std::chrono::seconds>(mail_.now());
    const duration age = now - std::chrono::floor<std::chrono::seconds>(file->arrived);
    const time_point due = now + std::clamp(age, settings_->minimal_backoff,
                                            std::max(settings_->minimal_backoff, settings_->maximal_backoff));
    file->where = queue::name::deferred;
    file->next_attempt = due;
    mail_.host().queue_files().moved(file);
    deferred_[due].push_back(std::move(file));
}

void queue_manager::remove(active_message& message) {
    const queue::message file = std::move(message.file);
    for (const queue::recipient& each : file->recipients) routes_kept_ -= each.route ? 1 : 0;
    message.leave();
    active_->remove(message);
    mail_.host().queue_files().remove(file->id);
    mail_.log(own_process(), file->id, maillog::removed{});
}

// The deferred queue is scanned every queue_run_delay from the start on; scans that would find nothing are left out.
void queue_manager::schedule_scan() {
    schedule_wakeup();
    if (deferred_.empty()) return;
    const time_point wanted = std::max(deferred_.begin()->first, mail_.now());
    const auto runs = (wanted - started_ + settings_->queue_run_delay - duration(1)) / settings_->queue_run_delay;
    const time_point due = started_ + runs * settings_->queue_run_delay;
    if (!scan_.armed() || scan_.due() > due) mail_.clock().arm(scan_, due);
}

// The same of master(8)'s wake-ups, which the incoming queue is looked at for.
void queue_manager::schedule_wakeup() {
    const master::daemon* const own = mail_.transport("qmgr");
    const duration every = std::chrono::seconds(own ? own->service.wakeup_seconds : 0);
    if (young_.empty() || every.count() == 0) return;
    const auto soonest = std::min_element(young_.begin(), young_.end(), [](const auto& one, const auto& other) {
        return one->next_attempt < other->next_attempt;
    });
    const duration wait = std::max((*soonest)->next_attempt, mail_.now()) - started_;
    const time_point due = started_ + (wait + every - duration(1)) / every * every;
    if (!wakeup_.armed() || wakeup_.due() > due) mail_.clock().arm(wakeup_, due);
}

void queue_manager::scan_deferred() {
    while (!deferred_.empty() && deferred_.begin()->first <= mail_.now()) {
        for (queue::message& each : deferred_.begin()->second) due_.emplace_back(std::move(each), false);
        deferred_.erase(deferred_.begin());
    }
    poke();
}

}  // namespace mta::qmgr
