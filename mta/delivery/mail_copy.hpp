// mta/delivery/mail_copy.hpp - a message as delivery agents hand it over: the lines in front, and what is escaped in it
// (mail_copy(3), mbox(5)).
#pragma once
#include <string>
#include <string_view>

#include "mta/async/scheduler.hpp"
#include "mta/text/dates.hpp"

namespace mta::delivery {

// What is done to a copy; the letters of pipe(8)'s flags= are in brackets.
enum copy_flags : unsigned {
    copy_from_line = 1u << 0,     // [F] "From sender date"
    copy_return_path = 1u << 1,   // [R]
    copy_original_to = 1u << 2,   // [O] X-Original-To, when there is one
    copy_delivered_to = 1u << 3,  // [D]
    copy_quote_from = 1u << 4,    // [>] "From " at the begin of a line becomes ">From "
    copy_dot = 1u << 5,           // [.] a dot at the begin of a line is doubled
    copy_blank_line = 1u << 6,    // [B] an empty line at the end
    // What an mbox file has, and a message in a Maildir.
    copy_mbox =
        copy_from_line | copy_return_path | copy_original_to | copy_delivered_to | copy_quote_from | copy_blank_line,
    copy_maildir = copy_return_path | copy_original_to | copy_delivered_to,
};

// Addresses in internal form.
struct copy_addresses {
    std::string sender, original_to, delivered_to;
};

std::string mail_copy(std::string_view content, unsigned flags, const copy_addresses& about, time_point now,
                      const text::time_zone& zone, std::string_view line_end = "\n");

}  // namespace mta::delivery
