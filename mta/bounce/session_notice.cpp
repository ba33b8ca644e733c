#include "mta/bounce/session_notice.hpp"

#include <fmt/format.h>

#include "mta/cleanup/cleanup.hpp"
#include "mta/master/mail_system.hpp"
#include "mta/text/dates.hpp"
#include "mta/text/strings.hpp"

namespace mta::bounce {
namespace {

constexpr std::size_t notice_width = 78, notice_indent = 4;

// A line of the transcript, folded at white space (line_wrap(3)).
void append_wrapped(std::string& out, std::string_view line) {
    std::size_t indent = 0;
    while (line.size() + indent > notice_width) {
        std::size_t cut = line.rfind(' ', notice_width - indent);
        if (cut == std::string_view::npos || cut == 0) cut = line.find(' ', 1);
        if (cut == std::string_view::npos) break;
        out.append(indent + 1, ' ').append(text::trimmed_right(line.substr(0, cut))) += '\n';
        line = text::trimmed(line.substr(cut));
        indent = notice_indent;
    }
    out.append(indent + 1, ' ').append(line) += '\n';
}

}  // namespace

void send(master::mail_system& mail, const session_notice& notice) {
    const config::parameters& p = mail.parameters();
    const std::string host = p.text("myhostname"), mail_name = p.text("mail_name");
    cleanup::incoming message;
    message.source = cleanup::source::internal;
    message.filtered_notice = cleanup::filters_notices(p, "notify");
    message.service = notice.cleanup_service;
    queue::queue_file& envelope = message.envelope;
    envelope.arrived = mail.now();
    envelope.id = mail.new_queue_id(envelope.arrived);
    envelope.sender = p.text("double_bounce_sender") + "@" + host;
    queue::recipient to;
    to.address = notice.recipient;
    envelope.recipients.push_back(to);
    const std::string date = text::mail_date(envelope.arrived, mail.host().time_zone());
    const std::string& named = notice.named_in_to;
    std::string& text = message.content;
    text = fmt::format(
        "Received: by {0} ({1})\n\tid {2}; {3}\nDate: {3}\nFrom: Mail Delivery System <MAILER-DAEMON@{0}>\n"
        "To: Postmaster <{4}>\nSubject: {1} {5}\n\n",
        host, mail_name, envelope.id, date, named.find('@') == std::string::npos ? named + "@" + host : named,
        notice.subject);
    if (!notice.opening.empty()) text += notice.opening + "\n\n";
    text += "Transcript of session follows.\n\n";
    for (const std::string& each : notice.transcript) append_wrapped(text, each);
    text += "\n" + notice.closing + "For other details, see the local mail logfile\n";
    mail.cleanup().take(std::move(message));
}

}  // namespace mta::bounce
