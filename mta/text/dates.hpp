// mta/text/dates.hpp - a moment as syslog, RFC 5322 and mbox files write it.
#pragma once
#include <chrono>
#include <string>

namespace mta::text {

// The zone that a host's clock shows; one offset for a whole run, as a lab has no daylight saving.
struct time_zone {
    int offset_minutes = 0;  // east of UTC
    std::string abbreviation = "UTC";
};

using moment = std::chrono::sys_time<std::chrono::nanoseconds>;

std::string syslog_stamp(moment when, const time_zone& zone);  // "Nov 20 14:24:39"
void append_syslog_stamp(std::string& out, moment when, const time_zone& zone);
std::string mail_date(moment when, const time_zone& zone);  // "Fri, 20 Nov 2026 14:24:39 +0000 (UTC)"
std::string mbox_date(moment when, const time_zone& zone);  // "Fri Nov 20 14:24:39 2026", as ctime(3)
std::string compact_stamp(moment when);                     // "20261120142439", in UTC, for a Message-Id
std::string iso_stamp(moment when);                         // "2026-11-20T14:24:39.123456Z"

}  // namespace mta::text
