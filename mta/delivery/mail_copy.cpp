#include "mta/delivery/mail_copy.hpp"

#include "mta/address/quote.hpp"

namespace mta::delivery {
namespace {

void append_line(std::string& out, std::string_view name, std::string_view value, std::string_view line_end) {
    ((out += name) += value) += line_end;
}

void append_content(std::string& out, std::string_view content, unsigned flags, std::string_view line_end) {
    while (!content.empty()) {
        const auto end = content.find('\n');
        const std::string_view line = content.substr(0, end);
        content.remove_prefix(end == std::string_view::npos ? content.size() : end + 1);
        if ((flags & copy_quote_from) != 0 && line.starts_with("From ")) out += '>';
        if ((flags & copy_dot) != 0 && line.starts_with('.')) out += '.';
        (out += line) += line_end;
    }
}

}  // namespace

std::string mail_copy(std::string_view content, unsigned flags, const copy_addresses& about, time_point now,
                      const text::time_zone& zone, std::string_view line_end) {
    const std::string sender = address::path_822(about.sender);
    std::string out;
    out.reserve(content.size() + 256);
    if ((flags & copy_from_line) != 0) {
        const std::string shown = sender.empty() ? "MAILER-DAEMON" : sender;
        append_line(out, "From " + shown + "  ", text::mbox_date(now, zone), line_end);
    }
    if ((flags & copy_return_path) != 0) append_line(out, "Return-Path: <", sender + ">", line_end);
    if ((flags & copy_original_to) != 0 && !about.original_to.empty()) {
        append_line(out, "X-Original-To: ", address::path_822(about.original_to), line_end);
    }
    if ((flags & copy_delivered_to) != 0) {
        append_line(out, "Delivered-To: ", address::path_822(about.delivered_to), line_end);
    }
    append_content(out, content, flags, line_end);
    if ((flags & copy_blank_line) != 0) out += line_end;
    return out;
}

}  // namespace mta::delivery
