// mta/bounce/report.hpp - the text of a notice: a multipart/report with a letter, the status of each recipient, and the
// message or its headers (RFC 3461, RFC 3462, RFC 3464).
//
// A pure function of what the notice is about.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "mta/bounce/templates.hpp"
#include "mta/queue/queue_file.hpp"
#include "mta/text/dates.hpp"

namespace mta::bounce {

enum class returned : std::uint8_t { nothing, headers, whole };

struct report {
    const queue::queue_file* about = nullptr;
    std::string id;  // of the notice itself
    time_point now{};
    text::time_zone zone;
    std::string from;
    std::string myhostname, mail_name;
    bool utf8 = true;  // smtputf8_enable; else what is not ASCII in addresses and reasons is masked
    std::string subject, to, charset;
    std::string letter;      // "" in copies for the postmaster
    bool generated = false;  // Auto-Submitted: auto-generated rather than auto-replied
    std::vector<queue::notice_entry> entries;
    time_point retried_until = never;  // of a delay
    returned what = returned::whole;
    std::string returned_name = "Undelivered Message";
};

std::string compose(report what);

// line_wrap(3): words on lines of at most `width` columns; lines after the first are indented.
std::string wrapped(std::string_view text, std::size_t width, std::size_t indent);

}  // namespace mta::bounce
