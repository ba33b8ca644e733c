#include "cli/trace.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "cli/terminal.hpp"
#include "cli/trace_json.hpp"
#include "mta/maillog/render.hpp"
#include "mta/text/strings.hpp"

namespace cli {
namespace {

using sim::record::arrival;
using sim::record::chain_difference;
using sim::record::message_summary;
using sim::record::message_trace;
using sim::record::trace_delivery;
using sim::record::trace_stop;

constexpr std::size_t indent = 4;
constexpr std::size_t label_width = 10;

std::string seconds(mta::duration time) {
    std::string out;
    mta::maillog::append_delay(out, time);
    return out;
}

std::string stamp(mta::time_point when, const mta::text::time_zone& zone) {
    const auto of_second = when - std::chrono::floor<std::chrono::seconds>(when);
    return mta::text::syslog_stamp(when, zone) +
           fmt::format(".{:03}", std::chrono::floor<std::chrono::milliseconds>(of_second).count());
}

class page {
  public:
    explicit page(const trace_style& style) : style_(style) {}

    void line(std::string_view text) { (out_ += text) += '\n'; }
    void heading(std::string_view text) { line(painted(printable(text), paint::bold, style_.color)); }
    // "    label     text", wrapped between words; a word longer than a line stays whole.
    void row(std::string_view label, std::string_view text) {
        const std::size_t start = indent + label_width;
        std::string head = std::string(indent, ' ') + painted_label(label);
        head.append(label.size() < label_width ? label_width - label.size() : 1, ' ');
        const std::string plain = printable(text);
        std::size_t column = start;
        out_ += head;
        for (const auto word : mta::text::split(plain, " ")) {
            if (column > start && column + 1 + word.size() > style_.width) {
                out_ += '\n';
                out_.append(start, ' ');
                column = start;
            } else if (column > start) {
                out_ += ' ';
                ++column;
            }
            out_ += word;
            column += word.size();
        }
        out_ += '\n';
    }
    std::string text() { return std::move(out_); }

  private:
    std::string painted_label(std::string_view label) const {
        paint how = paint::cyan;
        if (label == "sent") how = paint::green;
        if (label == "deferred") how = paint::yellow;
        if (label == "bounced" || label == "expired") how = paint::red;
        return painted(label, how, style_.color);
    }
    const trace_style& style_;
    std::string out_;
};

std::string session_facts(std::string_view protocol, std::string_view cipher) {
    return protocol.empty() ? "without TLS" : fmt::format("over {} {}", protocol, cipher);
}

std::string arrival_text(const trace_stop& stop) {
    const std::string parent =
        stop.parent ? fmt::format("stop {}", *stop.parent + 1) : std::string("before the record");
    const std::string client = fmt::format("{}[{}]", stop.client_name, stop.client_address);
    const std::string login = stop.sasl_username.empty() ? "" : ", logged in as " + stop.sasl_username;
    switch (stop.how) {
        case arrival::smtp:
            return fmt::format("from {} {}{}", client, session_facts(stop.tls_protocol, stop.tls_cipher), login);
        case arrival::submitted:
            return fmt::format("submitted by uid {}", stop.uid.value_or(0));
        case arrival::filtered:
            return stop.uid ? fmt::format("back from the content filter of {} (uid {})", parent, *stop.uid)
                            : fmt::format("back from the content filter of {} (by SMTP from {})", parent, client);
        case arrival::forwarded:
            return fmt::format("forwarded by {}", parent);
        case arrival::requeued:
            return fmt::format("requeued from {}", parent);
        case arrival::notice:
            return stop.notice_kind.empty()
                       ? "made on this host"
                       : fmt::format("made as the {} notification for {}", stop.notice_kind, parent);
    }
    return {};
}

// Attempts that differ in nothing but their time, as one.
struct attempts {
    const trace_delivery* first;
    const trace_delivery* last;
    std::size_t count;
};

std::vector<attempts> grouped(const std::vector<trace_delivery>& deliveries) {
    std::vector<attempts> groups;
    for (const auto& each : deliveries) {
        const auto same = std::find_if(groups.begin(), groups.end(), [&](const attempts& group) {
            return group.last->recipient == each.recipient && group.last->status == each.status &&
                   group.last->reply == each.reply && group.last->relay == each.relay && each.next_message == 0;
        });
        if (same == groups.end()) {
            groups.push_back({&each, &each, 1});
        } else {
            same->last = &each;
            ++same->count;
        }
    }
    return groups;
}

void write_attempts(page& out, const message_trace& story, const attempts& group, const trace_style& style) {
    const trace_delivery& last = *group.last;
    std::string what = last.recipient;
    if (!last.original_recipient.empty()) what += " (for " + last.original_recipient + ")";
    if (!last.mailbox.empty()) {
        what += ", into the mailbox of " + last.mailbox;
    } else if (last.relay != "none" && last.relay != last.agent) {
        what += " to " + last.relay;
    }
    if (group.count > 1) {
        what += fmt::format("; {} times from {} on", group.count, stamp(group.first->when, style.zone));
    }
    out.row(last.status, what + "; " + stamp(last.when, style.zone));
    out.row("", fmt::format("{} {} ({})", last.agent, last.dsn, last.reply));
    out.row("waited", fmt::format("before queue manager {}, in active queue {}, connecting {}, transmitting {} s",
                                  seconds(last.waited.before_queue_manager), seconds(last.waited.in_active_queue),
                                  seconds(last.waited.connecting), seconds(last.waited.transmitting)));
    const std::string session = session_facts(last.tls_protocol, last.tls_cipher);
    if (const auto next = stop_index(story, last.next_message)) {
        const trace_stop& there = story.stops[*next];
        const std::string way =
            last.next_address.empty() ? there.queue_id : fmt::format("at {} {}", last.next_address, session);
        out.row("next", fmt::format("stop {}, {} {}", *next + 1, there.host, way));
    } else if (!last.next_address.empty()) {
        const char* end = last.status == "sent" ? ", and beyond the record" : "";
        out.row("next", fmt::format("{} {}{}", last.next_address, session, end));
    }
}

std::string recipients_text(const std::vector<std::string>& recipients) {
    if (recipients.empty()) return "nobody yet";
    std::string out = recipients.front();
    if (recipients.size() > 1) out += fmt::format(" and {} more", recipients.size() - 1);
    return out;
}

std::string unknown_message(std::string_view wanted, const std::vector<std::string>& nearest) {
    std::string out =
        fmt::format("no message of the record has the Message-Id, queue id or number '{}'\n", printable(wanted));
    if (nearest.empty()) return out + "without a name, relaylab trace lists all messages\n";
    out += "nearest:";
    for (const auto& each : nearest) (out += "\n    ") += printable(each);
    return out + "\n";
}

}  // namespace

std::string trace_text(const message_trace& story, const trace_style& style) {
    page out(style);
    if (story.stops.empty()) return "the record knows nothing of this message\n";
    const trace_stop& first = story.stops.front();
    out.heading("Message " + (first.message_id.empty() ? std::string("without Message-Id") : first.message_id));
    out.line(printable(fmt::format("from <{}>, {} bytes, {} {}", first.sender, first.size, story.stops.size(),
                                   story.stops.size() == 1 ? "stop" : "stops")));
    for (std::size_t i = 0; i < story.stops.size(); ++i) {
        const trace_stop& stop = story.stops[i];
        out.line("");
        out.heading(fmt::format("{:>2}  {}  {}  {}", i + 1, stop.host, stop.queue_id, stamp(stop.arrived, style.zone)));
        out.row("arrived", arrival_text(stop));
        const auto groups = grouped(stop.deliveries);
        for (const auto& group : groups) write_attempts(out, story, group, style);
        if (stop.removed) {
            out.row("left", fmt::format("the queue after {} s", seconds(*stop.removed - stop.arrived)));
        } else {
            out.row("queued", "still, at the end of the record");
        }
    }
    return out.text();
}

std::string messages_text(const std::vector<message_summary>& messages, const trace_style& style) {
    if (messages.empty()) return "the record has no messages\n";
    std::size_t host_width = 4, id_width = 8, sender_width = 4;
    for (const auto& each : messages) {
        host_width = std::max(host_width, each.host.size());
        id_width = std::max(id_width, each.queue_id.size());
        sender_width = std::max(sender_width, each.sender.size());
    }
    host_width = std::min<std::size_t>(host_width, 24);
    sender_width = std::min<std::size_t>(sender_width, 24);
    std::string out = fmt::format("{:>4}  {:15}  {:{}}  {:{}}  {:{}}  {}\n", "no", "arrived", "host", host_width,
                                  "queue id", id_width, "from", sender_width, "to");
    for (const auto& each : messages) {
        out += fmt::format("{:>4}  {:15}  {:{}}  {:{}}  {:{}}  {}: {}\n", each.number,
                           mta::text::syslog_stamp(each.arrived, style.zone), printable(each.host), host_width,
                           printable(each.queue_id), id_width, printable(each.sender), sender_width,
                           printable(recipients_text(each.recipients)), each.outcome);
    }
    return out;
}

std::string differences_text(const std::vector<chain_difference>& differences, const trace_style& style) {
    if (differences.empty()) return "The Received headers agree with the record, hop by hop.\n";
    page out(style);
    out.heading("The Received headers differ from the record:");
    for (const auto& each : differences) {
        out.line("");
        out.line("  " + printable(each.hop) + ": " + each.field);
        out.row("record", each.recorded.empty() ? "(nothing)" : each.recorded);
        out.row("header", each.header.empty() ? "(nothing)" : each.header);
        out.row("", each.explanation);
    }
    return out.text();
}

trace_output trace_command(const sim::record::database& record, std::string_view wanted, bool as_json,
                           const trace_style& style) {
    if (wanted.empty()) {
        const auto all = sim::record::messages(record);
        return {as_json ? messages_json(all) : messages_text(all, style), {}, 0};
    }
    const auto choice = sim::record::choose_message(record, wanted);
    if (!choice.message) return {{}, unknown_message(wanted, choice.nearest), 2};
    const auto story = sim::record::trace(record, *choice.message);
    return {as_json ? trace_json(story) : trace_text(story, style), {}, 0};
}

}  // namespace cli
