// mta/maillog/render.hpp - an event as the line that Postfix 3.7 logs for it.
#pragma once
#include <string>
#include <string_view>

#include "mta/maillog/event.hpp"
#include "mta/text/dates.hpp"

namespace mta::maillog {

// Appends the text after "program[pid]: ", without a newline. Control bytes, and bytes that are no UTF-8, are shown as
// `?`; with smtputf8_enable=no (`utf8` false) so is all that is not ASCII.
void render_text(const entry&, std::string& out, bool utf8 = true);
// Appends the whole line with its newline: "Nov 20 14:24:40 mail postfix/smtpd[559]: connect from ...".
// `machine` is the first label of the host's name, as syslog writes it.
void render_line(const entry&, std::string_view machine, const text::time_zone&, std::string& out, bool utf8 = true);
// "0.05", "0", "14", "1.3": seconds, rounded to two significant digits. `finest_digits` after the point at most
// (delay_logging_resolution_limit, 0 to 6); a negative delay is 0.
void append_delay(std::string& out, duration delay, int finest_digits = 2);

}  // namespace mta::maillog
