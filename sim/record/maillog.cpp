#include "sim/record/maillog.hpp"

#include <array>
#include <charconv>
#include <limits>
#include <utility>

#include "mta/maillog/render.hpp"

namespace sim::record {
namespace {

constexpr std::int64_t no_second = std::numeric_limits<std::int64_t>::min();

}  // namespace

maillog::maillog(std::string host, mta::text::time_zone zone, bool utf8)
    : host_(std::move(host)), zone_(std::move(zone)), utf8_(utf8), second_(no_second) {
    machine_ = " " + host_.substr(0, host_.find('.')) + " ";
}

void maillog::refresh_stamp(mta::time_point when) {
    const std::int64_t second = std::chrono::floor<std::chrono::seconds>(when).time_since_epoch().count();
    if (second == second_) return;
    second_ = second;
    stamp_.clear();
    mta::text::append_syslog_stamp(stamp_, when, zone_);
}

std::string_view maillog::add(const mta::maillog::entry& entry) {
    if (!mta::maillog::in_maillog(entry.what)) return {};
    refresh_stamp(entry.when);
    const std::size_t start = text_.size();
    ((text_ += stamp_) += machine_) += entry.by.tag;
    std::array<char, 16> pid;
    char* const end = std::to_chars(pid.data(), pid.data() + pid.size(), entry.by.pid).ptr;
    text_ += '[';
    text_.append(pid.data(), end);
    text_ += "]: ";
    mta::maillog::render_text(entry, text_, utf8_);
    text_ += '\n';
    ++lines_;
    const std::string_view line = std::string_view(text_).substr(start, text_.size() - start - 1);
    if (live_) live_(host_, line);
    return line;
}

void maillog::clear() {
    text_.clear();
    lines_ = 0;
}

}  // namespace sim::record
