#include "mta/text/dates.hpp"

#include <fmt/format.h>

#include <iterator>

namespace mta::text {
namespace {

constexpr const char* months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
constexpr const char* weekdays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};

struct civil {
    int year, month, day, weekday, hour, minute, second, microsecond;
};

civil broken_down(moment when, int offset_minutes) {
    using namespace std::chrono;
    const auto local = when + minutes(offset_minutes);
    const auto midnight = floor<days>(local);
    const year_month_day date(midnight);
    const auto of_day = duration_cast<microseconds>(local - midnight).count();
    const auto of_second = static_cast<int>(of_day % 1'000'000);
    const auto seconds = static_cast<int>(of_day / 1'000'000);
    return {static_cast<int>(date.year()),
            static_cast<int>(static_cast<unsigned>(date.month())),
            static_cast<int>(static_cast<unsigned>(date.day())),
            static_cast<int>(weekday(midnight).c_encoding()),
            seconds / 3600,
            seconds / 60 % 60,
            seconds % 60,
            of_second};
}

}  // namespace

void append_syslog_stamp(std::string& out, moment when, const time_zone& zone) {
    const civil t = broken_down(when, zone.offset_minutes);
    fmt::format_to(std::back_inserter(out), "{} {:2} {:02}:{:02}:{:02}", months[t.month - 1], t.day, t.hour, t.minute,
                   t.second);
}

std::string syslog_stamp(moment when, const time_zone& zone) {
    std::string out;
    append_syslog_stamp(out, when, zone);
    return out;
}

std::string mail_date(moment when, const time_zone& zone) {
    const civil t = broken_down(when, zone.offset_minutes);
    const int offset = zone.offset_minutes < 0 ? -zone.offset_minutes : zone.offset_minutes;
    return fmt::format("{}, {} {} {} {:02}:{:02}:{:02} {}{:02}{:02} ({})", weekdays[t.weekday], t.day,
                       months[t.month - 1], t.year, t.hour, t.minute, t.second, zone.offset_minutes < 0 ? '-' : '+',
                       offset / 60, offset % 60, zone.abbreviation);
}

std::string mbox_date(moment when, const time_zone& zone) {
    const civil t = broken_down(when, zone.offset_minutes);
    return fmt::format("{} {} {:2} {:02}:{:02}:{:02} {}", weekdays[t.weekday], months[t.month - 1], t.day, t.hour,
                       t.minute, t.second, t.year);
}

std::string compact_stamp(moment when) {
    const civil t = broken_down(when, 0);
    return fmt::format("{:04}{:02}{:02}{:02}{:02}{:02}", t.year, t.month, t.day, t.hour, t.minute, t.second);
}

std::string iso_stamp(moment when) {
    const civil t = broken_down(when, 0);
    return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:06}Z", t.year, t.month, t.day, t.hour, t.minute, t.second,
                       t.microsecond);
}

}  // namespace mta::text
