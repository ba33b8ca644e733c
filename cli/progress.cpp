#include "cli/progress.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <utility>

#include "cli/terminal.hpp"
#include "mta/text/dates.hpp"

namespace cli {
namespace {

constexpr auto quiet_at_first = std::chrono::seconds(1);
constexpr auto between = std::chrono::milliseconds(200);

}  // namespace

std::string elapsed_text(mta::duration time) {
    using namespace std::chrono;
    if (time < minutes(1)) return fmt::format("{:.3f} s", duration<double>(time).count());
    const auto whole = floor<seconds>(time);
    const auto days_of = floor<days>(whole);
    const hh_mm_ss clock(whole - days_of);
    const std::string text =
        fmt::format("{:02}:{:02}:{:02}", clock.hours().count(), clock.minutes().count(), clock.seconds().count());
    return days_of.count() == 0 ? text : fmt::format("{}d {}", days_of.count(), text);
}

progress::progress(std::string what, visibility how)
    : what_(std::move(what)),
      visible_(how == visibility::shown && stderr_is_terminal()),
      next_(wall_clock::now() + quiet_at_first) {}

progress::~progress() {
    clear();
}

void progress::begin(mta::time_point virtual_now) {
    began_ = virtual_now;
}

void progress::step(std::size_t k, std::size_t n) {
    step_ = k;
    steps_ = n;
}

void progress::tick(mta::time_point virtual_now) {
    if (!visible_) return;
    const auto now = wall_clock::now();
    if (now < next_) return;
    next_ = now + between;
    on_screen_ = true;
    const std::string where = step_ < steps_ ? fmt::format("step {} of {}", step_ + 1, steps_) : "the end";
    std::fprintf(stderr, "\r\x1b[K%s: %s, %s (+%s)", what_.c_str(), where.c_str(),
                 mta::text::syslog_stamp(virtual_now, {}).c_str(), elapsed_text(virtual_now - began_).c_str());
    std::fflush(stderr);
}

void progress::clear() {
    if (!on_screen_) return;
    std::fputs("\r\x1b[K", stderr);
    std::fflush(stderr);
    on_screen_ = false;
}

}  // namespace cli
