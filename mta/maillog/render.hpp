// mta/maillog/render.hpp - an event as the line that Postfix 3.7 logs for it.
#pragma once
#include <string>
#include <string_view>

#include "mta/maillog/event.hpp"
#include "mta/text/dates.hpp"

namespace mta::maillog {

// Appends the text after "program[pid]: ", without a newline. Control and non-ASCII bytes are shown as Postfix shows them.
void render_text(const entry&, std::string& out);
// Appends the whole line with its newline: "Nov 20 14:24:40 mail postfix/smtpd[559]: connect from ...".
// `machine` is the first label of the host's name, as syslog writes it.
void render_line(const entry&, std::string_view machine, const text::time_zone&, std::string& out);
// "0.05", "0", "14", "1.3": a delay with two significant digits (delay_logging_resolution_limit).
void append_delay(std::string& out, duration delay, int resolution_digits = 2);

}  // namespace mta::maillog
