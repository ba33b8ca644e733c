#include "mta/bounce/bouncer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "mta/address/quote.hpp"
#include "mta/address/trivial_rewrite.hpp"
#include "mta/cleanup/cleanup.hpp"
#include "mta/config/parameters.hpp"
#include "mta/master/mail_system.hpp"
#include "mta/text/strings.hpp"

namespace mta::bounce {
namespace {

constexpr std::size_t line_width = 79;

// line_wrap(3): words on lines of at most `width` columns; lines after the first are indented.
std::string wrapped(std::string_view text, std::size_t width, std::size_t indent) {
    std::string out;
    const std::string_view all = text;
    std::size_t at = 0;
    std::size_t room = width;
    for (bool first = true; at < all.size(); first = false) {
        std::size_t end = all.size();
        if (end - at > room) {
            const auto space = all.rfind(' ', at + room);
            end = space != std::string_view::npos && space > at ? space : std::min(all.find(' ', at + room), all.size());
        }
        if (!first) out.append(indent, ' ');
        out.append(all, at, end - at);
        out += '\n';
        at = end;
        while (at < all.size() && all[at] == ' ') ++at;
        room = width - indent;
    }
    return out;
}

}  // namespace

struct bouncer::settings {
    std::string myhostname, mail_name;
    std::int64_t size_limit;
    explicit settings(const config::parameters& p)
        : myhostname(p.text("myhostname")), mail_name(p.text("mail_name")), size_limit(p.number("bounce_size_limit")) {}
};

// What a notice is about, and how it says so.
struct bouncer::notice {
    std::string kind;                       // as logged: "sender non-delivery"
    std::string subject, action_text, returned_as;
    std::vector<queue::notice_entry> entries;
    bool headers_only = false;
    std::string recipient;
};

bouncer::bouncer(master::mail_system& mail) : mail_(mail), settings_(std::make_unique<const settings>(mail.parameters())) {}
bouncer::~bouncer() = default;

void bouncer::send_notices(queue::queue_file& file) {
    std::vector<queue::notice_entry> bounces, traces;
    bounces.swap(file.bounces);
    traces.swap(file.traces);
    if (file.sender.empty()) return;
    std::erase_if(bounces, [](const queue::notice_entry& each) {
        return each.notify != 0 && !(each.notify & queue::notify_failure);
    });
    if (!bounces.empty()) {
        notice what;
        what.kind = "sender non-delivery";
        what.subject = "Undelivered Mail Returned to Sender";
        what.action_text =
            "I'm sorry to have to inform you that your message could not\n"
            "be delivered to one or more recipients. It's attached below.\n\n"
            "For further assistance, please send mail to postmaster.\n\n"
            "If you do so, please include this problem report. You can\n"
            "delete your own text from the attached returned message.\n\n";
        what.returned_as = "Undelivered Message";
        what.entries = std::move(bounces);
        what.recipient = file.sender;
        what.headers_only = file.returns == queue::return_content::headers ||
                            static_cast<std::int64_t>(file.size) > settings_->size_limit;
        send(file, what);
    }
    if (!traces.empty()) {
        notice what;
        what.kind = "sender delivery status";
        what.subject = "Successful Mail Delivery Report";
        what.action_text =
            "Your message was successfully delivered to the destination(s)\n"
            "listed below. If the message was delivered to mailbox you will\n"
            "receive no further notifications. Otherwise you may still receive\n"
            "notifications of mail delivery errors from other systems.\n\n";
        what.returned_as = "Message";
        what.entries = std::move(traces);
        what.recipient = file.sender;
        what.headers_only = true;
        send(file, what);
    }
}

void bouncer::return_expired(queue::queue_file& file) {
    for (queue::recipient& each : file.recipients) {
        if (each.done) continue;
        queue::notice_entry entry;
        entry.address = each.address;
        entry.original = each.original;
        entry.dsn_original = each.dsn_original;
        entry.notify = each.notify;
        entry.action = "failed";
        entry.status = each.delay;
        file.bounces.push_back(std::move(entry));
        each.done = true;
    }
    send_notices(file);
}

void bouncer::warn_of_delay(queue::queue_file& file) {
    if (file.sender.empty()) return;
    notice what;
    what.kind = "sender delay";
    what.subject = "Delayed Mail (still being retried)";
    what.action_text =
        "####################################################################\n"
        "# THIS IS A WARNING ONLY.  YOU DO NOT NEED TO RESEND YOUR MESSAGE. #\n"
        "####################################################################\n\n"
        "Your message could not be delivered for more than " +
        std::to_string(std::chrono::duration_cast<std::chrono::hours>(mail_.now() - file.arrived).count()) +
        " hour(s).\n"
        "It will be retried until it is " +
        std::to_string(std::chrono::duration_cast<std::chrono::hours>(mail_.parameters().duration("maximal_queue_lifetime")).count() / 24) +
        " day(s) old.\n\n"
        "For further assistance, please send mail to postmaster.\n\n"
        "If you do so, please include this problem report. You can\n"
        "delete your own text from the attached returned message.\n\n";
    what.returned_as = "Delayed Message";
    what.headers_only = true;
    what.recipient = file.sender;
    for (const queue::recipient& each : file.recipients) {
        if (each.done || (each.notify != 0 && !(each.notify & queue::notify_delay))) continue;
        queue::notice_entry entry;
        entry.address = each.address;
        entry.original = each.original;
        entry.dsn_original = each.dsn_original;
        entry.action = "delayed";
        entry.status = each.delay;
        what.entries.push_back(std::move(entry));
    }
    if (!what.entries.empty()) send(file, what);
}

void bouncer::send(const queue::queue_file& about, const notice& what) {
    cleanup::incoming message;
    message.source = cleanup::source::internal;
    queue::queue_file& envelope = message.envelope;
    envelope.arrived = mail_.now();
    envelope.id = mail_.new_queue_id(envelope.arrived);
    queue::recipient to;
    to.address = what.recipient;
    to.notify = queue::notify_never;
    envelope.recipients.push_back(to);
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(mail_.now().time_since_epoch()).count();
    const std::string boundary = fmt::format("{}.{}/{}", about.id, seconds, settings_->myhostname);
    message.content = compose(about, what, envelope.id, boundary);
    const std::string id = envelope.id;
    mail_.cleanup().take(std::move(message), mail_.process_of("cleanup"));
    mail_.log(mail_.process_of("bounce"), about.id, maillog::notification{what.kind, id});
}

std::string bouncer::compose(const queue::queue_file& about, const notice& what, const std::string& id,
                             const std::string& boundary) const {
    const auto& zone = mail_.host().time_zone();
    const std::string date = text::mail_date(mail_.now(), zone);
    const std::string& host = settings_->myhostname;
    const std::string sender = address::path_822(about.sender);
    std::string out = fmt::format(
        "Received: by {0} ({1})\n\tid {2}; {3}\n"
        "Date: {3}\nFrom: Mail Delivery System <MAILER-DAEMON@{0}>\nSubject: {4}\nTo: {5}\nAuto-Submitted: auto-replied\n"
        "MIME-Version: 1.0\nContent-Type: multipart/report; report-type=delivery-status;\n\tboundary=\"{6}\"\n"
        "Content-Transfer-Encoding: 8bit\n\nThis is a MIME-encapsulated message.\n\n",
        host, settings_->mail_name, id, date, what.subject, address::path_822(what.recipient), boundary);
    out += fmt::format(
        "--{}\nContent-Description: Notification\nContent-Type: text/plain; charset=utf-8\n"
        "Content-Transfer-Encoding: 8bit\n\nThis is the mail system at host {}.\n\n{}                   The mail system\n",
        boundary, host, what.action_text);
    for (const queue::notice_entry& each : what.entries) {
        std::string line = fmt::format("<{}>", address::path_822(each.address));
        if (!each.original.empty() && each.original != each.address) line += fmt::format(" (expanded from <{}>)", each.original);
        out += '\n' + wrapped(line + ": " + each.status.text, line_width, 4);
    }
    out += fmt::format(
        "\n--{}\nContent-Description: Delivery report\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; {}\n",
        boundary, host);
    if (!about.envelope_id.empty()) out += fmt::format("Original-Envelope-Id: {}\n", about.envelope_id);
    out += fmt::format("X-{}-Queue-ID: {}\nX-{}-Sender: rfc822; {}\nArrival-Date: {}\n", settings_->mail_name, about.id,
                       settings_->mail_name, sender, text::mail_date(about.arrived, zone));
    for (const queue::notice_entry& each : what.entries) {
        out += fmt::format("\nFinal-Recipient: rfc822; {}\n", address::path_822(each.address));
        if (!each.dsn_original.empty()) out += fmt::format("Original-Recipient: {}\n", each.dsn_original);
        out += fmt::format("Action: {}\nStatus: {}\n", each.action, each.status.dsn);
        if (!each.status.remote_mta.empty()) out += fmt::format("Remote-MTA: dns; {}\n", each.status.remote_mta);
        const std::string type = each.status.diagnostic_type.empty() ? "X-" + settings_->mail_name : each.status.diagnostic_type;
        const std::string& diagnostic = each.status.diagnostic.empty() ? each.status.text : each.status.diagnostic;
        out += wrapped(fmt::format("Diagnostic-Code: {}; {}", type, diagnostic), line_width, 4);
    }
    out += fmt::format("\n--{}\nContent-Description: {}{}\nContent-Type: {}\nContent-Transfer-Encoding: 8bit\n\n", boundary,
                       what.returned_as, what.headers_only ? " Headers" : "",
                       what.headers_only ? "text/rfc822-headers" : "message/rfc822");
    out += fmt::format("Return-Path: <{}>\n", sender);
    out += what.headers_only ? std::string_view(*about.content).substr(0, about.header_size) : std::string_view(*about.content);
    out += fmt::format("\n--{}--\n", boundary);
    return out;
}

}  // namespace mta::bounce
