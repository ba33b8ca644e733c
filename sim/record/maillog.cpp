#include "sim/record/maillog.hpp"

#include <array>
#include <charconv>
#include <limits>
#include <utility>

#include "mta/maillog/render.hpp"
#include "mta/text/append.hpp"

namespace sim::record {
namespace {

constexpr std::size_t block_size = std::size_t{1} << 20, room_for_a_line = 4096;
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
    if (blocks_.empty()) {
        blocks_.emplace_back();  // most logs are small: this one grows as it must
    } else if (blocks_.back().size() + room_for_a_line > block_size) {
        blocks_.emplace_back().reserve(block_size);
    }
    std::string& text = blocks_.back();
    const std::size_t start = text.size();
    std::array<char, 16> digits;
    const char* const end = std::to_chars(digits.data(), digits.data() + digits.size(), entry.by.pid).ptr;
    const std::string_view pid(digits.data(), end);
    mta::text::append(text, {stamp_, machine_, entry.by.tag, "[", pid, "]: "});
    mta::maillog::render_text(entry, text, utf8_);
    text += '\n';
    ++lines_;
    const std::string_view line = std::string_view(text).substr(start, text.size() - start - 1);
    if (live_) live_(host_, line);
    return line;
}

std::string maillog::text() const {
    std::string whole;
    std::size_t bytes = 0;
    for (const std::string& each : blocks_) bytes += each.size();
    whole.reserve(bytes);
    for (const std::string& each : blocks_) whole += each;
    return whole;
}

void maillog::each_line(const std::function<bool(std::string_view line)>& visit) const {
    for (const std::string& block : blocks_) {
        std::string_view rest = block;
        while (!rest.empty()) {
            const std::size_t end = rest.find('\n');
            if (!visit(rest.substr(0, end))) return;
            rest.remove_prefix(end + 1);
        }
    }
}

void maillog::clear() {
    blocks_.clear();
    lines_ = 0;
}

}  // namespace sim::record
