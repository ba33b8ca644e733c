#include "mta/delivery/request.hpp"

#include <algorithm>

#include "mta/bounce/bouncer.hpp"
#include "mta/delivery/status_filter.hpp"
#include "mta/master/mail_system.hpp"
#include "mta/text/strings.hpp"
#include "mta/verify/verifier.hpp"

namespace mta::delivery {
namespace {

bool is_trimmed(std::string_view text) {
    return text.empty() || !text::is_space(text.back());
}

// What is kept for notices and queue listings, other than what is logged, has no white space at its end
// (bounce_log(3)).
queue::delivery_status kept(queue::delivery_status status) {
    for (std::string* each : {&status.text, &status.diagnostic}) each->resize(text::trimmed_right(*each).size());
    return status;
}

queue::notice_entry notice_of(const queue::recipient& who, std::string_view address, std::string_view action,
                              queue::delivery_status status) {
    queue::notice_entry entry;
    entry.address = address;
    if (!text::equal_ignoring_case(who.original, address)) entry.original = who.original;
    entry.dsn_original = text::trimmed_right(who.dsn_original);
    entry.notify = who.notify;
    entry.action = action;
    entry.status = kept(std::move(status));
    return entry;
}

}  // namespace

report::report(master::mail_system& mail, const maillog::process& agent, request& about)
    : mail_(mail), agent_(agent), request_(about), soft_bounce_(mail.soft_bounce()) {
    started_ = connected_ = mail.now();
}

void report::log(const named& to, std::string_view relay, const queue::delivery_status& status,
                 std::string_view outcome) {
    maillog::delivery told;
    told.recipient = to.address;
    told.original_recipient = to.who.original;
    told.relay = relay;
    told.connection_uses = connection_uses_;
    told.arrived = request_.file->arrived;
    told.active = std::max(request_.became_active, told.arrived);
    told.agent_started = std::max(started_, told.active);
    told.connected = std::max(connected_, told.agent_started);
    told.done = std::max(mail_.now(), told.connected);
    told.dsn = status.dsn;
    told.status = outcome;
    told.text = status.text;
    mail_.log(agent_, request_.file->id, told, connection_);
}

void report::keep_trace(const named& to, std::string_view relay, std::string_view action,
                        const queue::delivery_status& status) {
    queue::notice_entry entry = notice_of(to.who, to.address, action, status);
    if (relay != "none") entry.status.text = "delivery via " + std::string(relay) + ": " + entry.status.text;
    request_.file->traces.push_back(std::move(entry));
}

void report::trace(const named& to, std::string_view relay, std::string_view action,
                   const queue::delivery_status& status) {
    if (to.who.notify & queue::notify_success) keep_trace(to, relay, action, status);
}

void report::record(const named& to, std::string_view relay, std::string_view action,
                    const queue::delivery_status& status) {
    if (request_.file->trace == queue::tracing::record) keep_trace(to, relay, action, status);
}

void report::record_end(const named& to, std::string_view relay, std::string_view action,
                        const queue::delivery_status& status) {
    const bool was_warned = to.who.notify == 0 || (to.who.notify & queue::notify_delay) != 0;
    const bool is_news = request_.file->reports_clearing && was_warned;
    if (is_news || request_.file->trace == queue::tracing::record) keep_trace(to, relay, action, status);
}

bool report::end_probe(const named& to, std::string_view relay, const queue::delivery_status& status,
                       verify::verdict found) {
    if (!is_probe()) return false;
    const char* outcome = found == verify::verdict::deliverable ? "deliverable" : "undeliverable";
    if (is_verification()) {
        const bool kept = mail_.verify().learn(to.who.original, to.address, found, status.text);
        log(to, relay, status, kept ? outcome : "undeliverable-but-not-cached");
    } else {
        log(to, relay, status, outcome);
        keep_trace(to, relay, outcome, status);
    }
    return true;
}

void report::filter(queue::delivery_status& status) const {
    if (!filter_) return;
    for (std::string& each : filter_->apply(status)) mail_.warn(agent_, std::move(each));
}

void report::sent(const target& to, std::string_view relay, const queue::delivery_status& status,
                  std::string_view action) {
    queue::delivery_status told = status;
    filter(told);
    request_.recipient(to).done = true;
    if (end_probe(named_by(to), relay, told, verify::verdict::deliverable)) return;
    log(named_by(to), relay, told, "sent");
    record_end(named_by(to), relay, action.empty() ? "relayed" : action, told);
    if (!action.empty()) trace(named_by(to), relay, action, told);
}

void report::bounced(const target& to, std::string_view relay, queue::delivery_status status) {
    filter(status);
    if (status.dsn.starts_with('4')) {
        put_off(to, relay, status);
    } else {
        fail(to, relay, std::move(status));
    }
}

void report::deferred(const target& to, std::string_view relay, queue::delivery_status status) {
    if (!status.dsn.empty() && status.dsn[0] == '5') status.dsn[0] = '4';
    filter(status);
    if (status.dsn.starts_with('5')) {
        fail(to, relay, std::move(status));
    } else {
        put_off(to, relay, status);
    }
}

void report::fail(const target& to, std::string_view relay, queue::delivery_status status) {
    if (end_probe(named_by(to), relay, status, verify::verdict::undeliverable)) {
        request_.recipient(to).done = true;
        return;
    }
    if (soft_bounce_) {
        if (!status.dsn.empty()) status.dsn[0] = '4';
        log(named_by(to), relay, status, "SOFTBOUNCE");
        record(named_by(to), relay, "delayed", status);
        keep_delay(request_.recipient(to), status);
        return;
    }
    log(named_by(to), relay, status, "bounced");
    record(named_by(to), relay, "failed", status);
    queue::recipient& who = request_.recipient(to);
    who.done = true;
    request_.file->bounces.push_back(notice_of(who, to.address, "failed", std::move(status)));
}

void report::keep_delay(queue::recipient& who, const queue::delivery_status& status) {
    const bool as_it_is = is_trimmed(status.text) && is_trimmed(status.diagnostic);
    who.delay = as_it_is ? mail_.shared_status(status) : mail_.shared_status(kept(status));
    who.put_off_as = ++request_.file->deferrals;
}

void report::put_off(const target& to, std::string_view relay, const queue::delivery_status& status) {
    if (end_probe(named_by(to), relay, status, verify::verdict::deferred)) {
        request_.recipient(to).done = true;
        return;
    }
    log(named_by(to), relay, status, "deferred");
    record(named_by(to), relay, "delayed", status);
    keep_delay(request_.recipient(to), status);
}

void report::settle(const target& to, std::string_view relay, const queue::delivery_status& status) {
    switch (status.dsn.empty() ? '5' : status.dsn[0]) {
        case '2':
            return sent(to, relay, status);
        case '4':
            return deferred(to, relay, status);
        default:
            return bounced(to, relay, status);
    }
}

part_result report::settle_part(const queue::recipient& who, std::size_t index, std::string_view relay,
                                queue::delivery_status status, std::string_view action) {
    const named to{who.address, who};
    filter(status);
    const char first = status.dsn.empty() ? '5' : status.dsn[0];
    const verify::verdict found = first == '2'   ? verify::verdict::deliverable
                                  : first == '4' ? verify::verdict::deferred
                                                 : verify::verdict::undeliverable;
    if (end_probe(to, relay, status, found)) return part_result::done;
    if (first == '2') {
        log(to, relay, status, "sent");
        record_end(to, relay, action, status);
        trace(to, relay, action, status);
        return part_result::done;
    }
    const bool softened = soft_bounce_ && !status.dsn.starts_with('4');
    if (softened && !status.dsn.empty()) status.dsn[0] = '4';
    const bool again = status.dsn.starts_with('4');
    log(to, relay, status, softened ? "SOFTBOUNCE" : again ? "deferred" : "bounced");
    record(to, relay, again ? "delayed" : "failed", status);
    if (again) {
        keep_delay(request_.file->recipients[index], status);
        return part_result::deferred;
    }
    request_.file->bounces.push_back(notice_of(who, who.address, "failed", std::move(status)));
    return part_result::done;
}

part_result report::bounce_one(const queue::recipient& who, std::size_t index, std::string_view relay,
                               queue::delivery_status status, const std::string& sender) {
    const std::size_t before = request_.file->bounces.size();
    const part_result result = settle_part(who, index, relay, std::move(status));
    if (request_.file->bounces.size() == before) return result;
    queue::queue_file alone = *request_.file;
    alone.sender = sender;
    alone.traces.clear();
    alone.bounces = {std::move(request_.file->bounces.back())};
    request_.file->bounces.pop_back();
    // It passes by the bounce log, which leaves out an original address that is no other.
    alone.bounces.front().original = who.original;
    mail_.bounce().send_notices(alone);
    return result;
}

void report::trace_part(const queue::recipient& who, std::string_view relay, std::string_view action,
                        const queue::delivery_status& status) {
    trace({who.address, who}, relay, action, status);
}

void report::remark(std::string_view text, maillog::level severity) {
    mail_.log(agent_, request_.file->id, maillog::remark{severity, text});
}

}  // namespace mta::delivery
