#include "mta/bounce/report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "mta/address/quote.hpp"
#include "mta/text/strings.hpp"

namespace mta::bounce {
namespace {

constexpr std::size_t line_width = 79;
constexpr std::size_t continuation_indent = 4;

bool is_ascii(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

// RFC 6533 for what is not ASCII in a message that asked for SMTPUTF8.
std::string_view address_type(const queue::queue_file& about, std::string_view address) {
    return about.smtputf8 && !is_ascii(address) ? "utf-8" : "rfc822";
}

// Without smtputf8_enable what is not ASCII needs quotes, character by character.
std::string path(const report& what, std::string_view address) {
    if (what.utf8 || is_ascii(address)) return address::path_822(address);
    const std::string_view local = address.substr(0, std::min(address.rfind('@'), address.size()));
    std::string quoted = "\"";
    for (const char c : local) {
        if (static_cast<unsigned char>(c) >= 0x80 || c == '"' || c == '\\') quoted += '\\';
        quoted += c;
    }
    return fmt::format("{}\"{}", quoted, address.substr(local.size()));
}

std::string sender_of(const report& what) {
    return what.about->sender.empty() ? "MAILER-DAEMON@" + what.myhostname : path(what, what.about->sender);
}

// Whether the letter may hold more than ASCII; the template's own text may in any case.
bool is_eight_bit(const report& what) {
    return what.utf8 || what.about->encoding == "8bit";
}

std::string encoding_header(std::string_view encoding) {
    return encoding.empty() ? "" : fmt::format("Content-Transfer-Encoding: {}\n", encoding);
}

// What the bounce log makes of it (printable(3)).
void mask(queue::notice_entry& entry) {
    for (std::string* each :
         {&entry.address, &entry.original, &entry.dsn_original, &entry.status.text, &entry.status.diagnostic}) {
        std::replace_if(each->begin(), each->end(), [](char c) { return static_cast<unsigned char>(c) >= 0x80; }, '?');
    }
}

void append_head(std::string& out, const report& what, const std::string& boundary) {
    const std::string date = text::mail_date(what.now, what.zone);
    out += fmt::format(
        "Received: by {0} ({1})\n\tid {2}; {3}\n"
        "Date: {3}\nFrom: {8}\nSubject: {4}\nTo: {5}\nAuto-Submitted: auto-{6}\n"
        "MIME-Version: 1.0\nContent-Type: multipart/report; report-type=delivery-status;\n\tboundary=\"{7}\"\n"
        "{9}\nThis is a MIME-encapsulated message.\n\n",
        what.myhostname, what.mail_name, what.id, date, what.subject, path(what, what.to),
        what.generated ? "generated" : "replied", boundary, what.from,
        encoding_header(what.utf8 ? "8bit" : what.about->encoding));
}

void append_letter(std::string& out, const report& what, const std::string& boundary) {
    const bool eight_bit = is_eight_bit(what);
    const bool plain = text::equal_ignoring_case(what.charset, "us-ascii");
    out +=
        fmt::format("--{}\nContent-Description: Notification\nContent-Type: text/plain; charset={}\n{}\n{}", boundary,
                    plain && eight_bit ? "utf-8" : what.charset, encoding_header(eight_bit ? "8bit" : ""), what.letter);
    for (const queue::notice_entry& each : what.entries) {
        std::string line = fmt::format("<{}>", address::path_822(each.address));
        if (!each.original.empty()) {
            line += fmt::format(" (expanded from <{}>)", address::path_822(each.original));
        }
        out += '\n' + wrapped(line + ": " + each.status.text, line_width, continuation_indent);
    }
}

void append_status(std::string& out, const report& what, const std::string& boundary) {
    const queue::queue_file& about = *what.about;
    out += fmt::format("\n--{}\nContent-Description: Delivery report\nContent-Type: message/{}delivery-status\n",
                       boundary, about.smtputf8 ? "global-" : "");
    if (about.smtputf8) out += "Content-Transfer-Encoding: 8bit\n";
    out += fmt::format("\nReporting-MTA: dns; {}\n", what.myhostname);
    if (!about.envelope_id.empty()) {
        out += fmt::format("Original-Envelope-Id: {}\n", about.envelope_id);
    }
    const std::string sender = sender_of(what);
    out += fmt::format("X-{0}-Queue-ID: {1}\nX-{0}-Sender: {2}; {3}\nArrival-Date: {4}\n", what.mail_name, about.id,
                       address_type(about, sender), sender, text::mail_date(about.arrived, what.zone));
    for (const queue::notice_entry& each : what.entries) {
        out += fmt::format("\nFinal-Recipient: {}; {}\n", address_type(about, each.address),
                           address::path_822(each.address));
        if (!each.dsn_original.empty()) out += fmt::format("Original-Recipient: {}\n", each.dsn_original);
        out += fmt::format("Action: {}\nStatus: {}\n", each.action, each.status.dsn);
        if (!each.status.remote_mta.empty()) out += fmt::format("Remote-MTA: dns; {}\n", each.status.remote_mta);
        const std::string type =
            each.status.diagnostic_type.empty() ? "X-" + what.mail_name : each.status.diagnostic_type;
        const std::string& diagnostic = each.status.diagnostic.empty() ? each.status.text : each.status.diagnostic;
        out += wrapped(fmt::format("Diagnostic-Code: {}; {}", type, text::replaced(diagnostic, "\n", " ")), line_width,
                       continuation_indent);
        if (what.retried_until != never)
            out += fmt::format("Will-Retry-Until: {}\n", text::mail_date(what.retried_until, what.zone));
    }
}

void append_returned(std::string& out, const report& what, const std::string& boundary) {
    const queue::queue_file& about = *what.about;
    const bool headers = what.what == returned::headers;
    const char* type = about.smtputf8 ? (headers ? "message/global-headers" : "message/global")
                                      : (headers ? "text/rfc822-headers" : "message/rfc822");
    const char* encoding = !is_eight_bit(what) ? "" : about.encoding == "7bit" ? "7bit" : "8bit";
    out += fmt::format("\n--{}\nContent-Description: {}{}\nContent-Type: {}\n{}\n", boundary, what.returned_name,
                       headers ? " Headers" : "", type, encoding_header(encoding));
    out += fmt::format("Return-Path: <{}>\n", sender_of(what));
    const std::string_view content = *about.content;
    out += headers ? content.substr(0, about.header_size) : content;
}

}  // namespace

std::string wrapped(std::string_view text, std::size_t width, std::size_t indent) {
    std::string out;
    std::size_t at = 0;
    std::size_t room = width;
    for (bool first = true; at < text.size(); first = false) {
        std::size_t end = text.size();
        if (end - at > room) {
            const auto space = text.rfind(' ', at + room);
            end = space != std::string_view::npos && space > at ? space
                                                                : std::min(text.find(' ', at + room), text.size());
        }
        if (!first) out.append(indent, ' ');
        out.append(text, at, end - at);
        out += '\n';
        at = end;
        while (at < text.size() && text[at] == ' ') ++at;
        room = width - indent;
    }
    return out;
}

std::string compose(report what) {
    if (!what.utf8) std::for_each(what.entries.begin(), what.entries.end(), mask);
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(what.now.time_since_epoch()).count();
    const std::string boundary = fmt::format("{}.{}/{}", what.about->id, seconds, what.myhostname);
    std::string out;
    out.reserve(what.about->content->size() + 4096);
    append_head(out, what, boundary);
    append_letter(out, what, boundary);
    append_status(out, what, boundary);
    if (what.what != returned::nothing) append_returned(out, what, boundary);
    out += fmt::format("\n--{}--\n", boundary);
    return out;
}

}  // namespace mta::bounce
