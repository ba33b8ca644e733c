#include "mta/delivery/mailbox_text.hpp"

#include "mta/address/quote.hpp"

namespace mta::delivery {
namespace {

// Lines that begin with "From " would begin another message.
void append_escaped(std::string& out, std::string_view content) {
    while (!content.empty()) {
        const auto end = content.find('\n');
        const auto line = content.substr(0, end == std::string_view::npos ? content.size() : end + 1);
        if (line.substr(0, 5) == "From ") out += '>';
        out += line;
        content.remove_prefix(line.size());
    }
}

}  // namespace

std::string mailbox_text(const request& from, const target& to, const mailbox_headers& headers, mailbox_format format,
                         time_point now, const text::time_zone& zone) {
    const queue::queue_file& file = *from.file;
    const queue::recipient& who = from.recipient(to);
    const std::string sender = address::path_822(file.sender);
    std::string out;
    out.reserve(file.content->size() + 256);
    if (format == mailbox_format::mbox) {
        ((((out += "From ") += file.sender.empty() ? "MAILER-DAEMON" : sender) += "  ") +=
         text::mbox_date(now, zone)) += '\n';
    }
    ((out += "Return-Path: <") += sender) += ">\n";
    if (headers.original_to && !who.original.empty())
        ((out += "X-Original-To: ") += address::path_822(who.original)) += '\n';
    if (!headers.delivered_to.empty()) ((out += "Delivered-To: ") += address::path_822(headers.delivered_to)) += '\n';
    if (format == mailbox_format::mbox) {
        append_escaped(out, *file.content);
        out += '\n';
    } else {
        out += *file.content;
    }
    return out;
}

}  // namespace mta::delivery
