// mta/qmgr/queue_manager_recipients.cpp - recipients of an active message: read from its queue file in portions,
// resolved, and given to the jobs of their transports (qmgr_message.c's part of qmgr(8)).
#include <fmt/format.h>

#include <algorithm>
#include <tuple>

#include "mta/address/extension.hpp"
#include "mta/address/quote.hpp"
#include "mta/address/resolve.hpp"
#include "mta/address/trivial_rewrite.hpp"
#include "mta/master/mail_system.hpp"
#include "mta/qmgr/queue_manager.hpp"
#include "mta/qmgr/transport.hpp"
#include "mta/queue/verp.hpp"
#include "mta/text/strings.hpp"

namespace mta::qmgr {

// By domain and address (qmgr_message_sort): recipients are sorted before they are resolved, so that the first of a
// destination gives it its spelling.
static void sort_recipients(const queue::queue_file& file, std::vector<std::size_t>& open) {
    if (open.size() < 2) return;
    const auto key = [&](std::size_t index) {
        const std::string& address = file.recipients[index].address;
        const auto domain = address::split_at_domain(address).domain;
        return std::make_tuple(!domain, text::lowered(domain.value_or("")), std::string_view(address), index);
    };
    std::sort(open.begin(), open.end(), [&](std::size_t a, std::size_t b) { return key(a) < key(b); });
}

// The next ones that are not done, as many as there is room for (qmgr_message_read).
std::vector<std::size_t> queue_manager::read_recipients(active_message& message) {
    constexpr std::int64_t portion = 5000;  // so that others have their turn
    const std::vector<queue::recipient>& all = message.file->recipients;
    std::int64_t limit = message.recipient_limit - message.recipients;
    if (message.next_on_file == 0) {
        // Nothing is known of its jobs yet: all that there is room for.
        const auto room = static_cast<std::int64_t>(settings_->recipients_in_memory) - recipients_in_memory_;
        limit = std::max(room, message.recipient_limit);
    }
    const auto wanted = static_cast<std::size_t>(std::clamp<std::int64_t>(limit, 1, portion));
    std::vector<std::size_t> open;
    message.more_on_file = false;
    while (message.next_on_file < all.size() && !message.more_on_file) {
        const std::size_t index = message.next_on_file++;
        --message.unread;
        if (all[index].done) continue;
        open.push_back(index);
        message.more_on_file = open.size() >= wanted;
    }
    message.refilled = seconds_now();
    sort_recipients(*message.file, open);
    return open;
}

// A redirected message has one delivery for all of its recipients.
void queue_manager::take_redirect(queue::queue_file& file) {
    std::vector<std::size_t> open;
    for (std::size_t index = 0; index < file.recipients.size(); ++index) {
        if (!file.recipients[index].done) open.push_back(index);
    }
    sort_recipients(file, open);
    for (const std::size_t index : open) file.recipients[index].done = index != open.front();
    if (open.empty()) return;
    file.recipients[open.front()].address = file.redirect;
    file.recipients[open.front()].route = nullptr;
}

// Those of the next portion, sorted, so that recipients of one destination share a delivery (qmgr_message_assign).
void queue_manager::assign_recipients(active_message& message) {
    std::vector<placed> all;
    const std::vector<std::size_t> open = read_recipients(message);
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
    job* current = nullptr;
    const bool one_by_one = queue::is_verp(*message.file);
    for (placed& each : all) {
        destination& to = *each.to;
        if (!current || &current->list != &each.by->jobs) current = &each.by->jobs.obtain(message);
        const std::size_t most = one_by_one ? 1 : each.by->recipient_limit;
        const bool begins = each.by->jobs.add(*current, to, std::move(each.target), most);
        ++recipients_in_memory_;
        if (!begins) continue;
        to.recount();
        warn_of_clog(to);
    }
    for (job* each = message.jobs.first(); each; each = message.jobs.after(*each)) {
        if (each->has_entries() && !each->list.passes_over(*each)) each->list.reconsider();
        if (!message.more_on_file) each->list.move_limits(*each);
    }
}

void queue_manager::read_more(job_owner& message) {
    assign_recipients(static_cast<active_message&>(message));
}

// A destination has more than its share of the active queue (qmgr_entry.c); said once in qmgr_clog_warn_time.
void queue_manager::warn_of_clog(destination& to) {
    const std::size_t length = to.waiting_count + static_cast<std::size_t>(to.busy);
    if (!settings_->helpful_warnings || settings_->clog_warn_time.count() == 0) return;
    if (length <= settings_->active_limit / 5 || mail_.now() < to.next_clog_warning) return;
    to.next_clog_warning = mail_.now() + settings_->clog_warn_time;
    const transport& by = to.by;
    const double share = static_cast<double>(length) / static_cast<double>(active_->size);
    std::vector<std::string> lines = {
        fmt::format("mail for {} is using up {} of {} active queue entries", to.next_hop, length, active_->size)};
    if (share < 0.9) lines.emplace_back("this may slow down other mail deliveries");
    if (by.flow.limit > 0 && by.flow.limit <= to.busy + 1) {
        lines.push_back(fmt::format("you may need to increase the main.cf {}_destination_concurrency_limit from {}",
                                    by.name, by.flow.limit));
    } else if (to.flow.window() > static_cast<double>(settings_->active_limit) * share) {
        lines.push_back(fmt::format("you may need to increase the main.cf qmgr_message_active_limit from {}",
                                    settings_->active_limit));
    } else if (by.destinations.size() > 1) {
        lines.push_back(fmt::format("you may need a separate master.cf transport for {}", to.next_hop));
    } else {
        lines.push_back(fmt::format("you may need to reduce {} connect and helo timeouts", by.name));
        lines.emplace_back("so that Postfix quickly skips unavailable hosts");
        lines.emplace_back("you may need to increase the main.cf minimal_backoff_time and maximal_backoff_time");
        lines.emplace_back("so that Postfix wastes less time on undeliverable mail");
        lines.push_back(fmt::format("you may need to increase the master.cf {} process limit", by.name));
    }
    lines.emplace_back("please avoid flushing the whole queue when you have");
    lines.emplace_back("lots of deferred mail, that is bad for performance");
    lines.emplace_back("to turn off these warnings specify: qmgr_clog_warn_time = 0");
    for (std::string& each : lines) mail_.warn(own_process(), std::move(each));
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
    delivery::report(mail_, own_process(), request)
        .sent(to, "none", {"2.0.0", "undeliverable postmaster notification discarded"});
    return true;
}

// qmgr_message_resolve for one recipient.
queue_manager::placed queue_manager::place(active_message& message, std::size_t index) {
    queue::queue_file& file = *message.file;
    queue::recipient& who = file.recipients[index];
    placed result;
    result.target.index = index;
    if (file.forced_expired) {
        // Returned with the reason that it was deferred for last, if it ever was.
        result.target.address = who.address;
        if (!who.delay) place_with_error("retry", "4.7.0 message is administratively expired", result);
        return result;
    }
    const bool verifies = file.trace == queue::tracing::verification;
    address::transport_and_next_hop filter;
    std::string_view service, next_hop;  // of the filter, or of the route
    if (!file.content_filter.empty() && file.redirect.empty() && !file.is_probe()) {
        // The filter has it as it is: whether there is such a recipient is asked when the message comes back.
        filter = address::split_transport(file.content_filter);
        result.target.address = who.address;
        service = filter.transport;
        next_hop = filter.next_hop;
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
        if (mail_.now() >= by.missed_until) {
            mail_.warn(own_process(), "connect to transport private/" + by.name + ": No such file or directory");
            by.missed_until = mail_.now() + settings_->retry_time;
        }
        place_with_error("retry", "4.3.0 mail transport unavailable", result);
        return result;
    }
    std::string name = text::lowered(next_hop);
    if (by.recipient_limit == 1 && !by.is_error) {
        const std::string_view local = address::split_at_domain(result.target.address).local;
        const auto stripped = address::strip_extension(local, mail_.rewrite().extensions());
        name = text::lowered(stripped ? stripped->address : std::string(local)) + "@" + name;
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

}  // namespace mta::qmgr
