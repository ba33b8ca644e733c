#include "cli/determinism.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <stdexcept>

#include "cli/terminal.hpp"
#include "mta/text/dates.hpp"

namespace cli {
namespace {

constexpr std::size_t most_differences = 10;
constexpr std::size_t longest_shown = 160;

class comparison {
  public:
    explicit comparison(determinism_result& into) : into_(into) {}

    // Texts of lines: says which line is the first that differs, and how.
    void lines(const std::string& what, std::string_view one, std::string_view other) {
        if (one == other || full()) return;
        std::size_t number = 1;
        for (;; ++number) {
            const auto a = next(one), b = next(other);
            if (a != b || !a) {
                add(fmt::format("{}, line {}: {} / {}", what, number, shown(a), shown(b)));
                return;
            }
        }
    }
    void bytes(const std::string& what, std::string_view one, std::string_view other) {
        if (one == other || full()) return;
        const auto length = std::min(one.size(), other.size());
        std::size_t at = 0;
        while (at < length && one[at] == other[at]) ++at;
        add(fmt::format("{}, at byte {}", what, at));
    }
    void count(const std::string& what, std::size_t one, std::size_t other) {
        if (one != other && !full()) add(fmt::format("{}: {} / {}", what, one, other));
    }

  private:
    bool full() const { return into_.differences.size() >= most_differences; }
    void add(std::string text) { into_.differences.push_back(std::move(text)); }
    static std::optional<std::string_view> next(std::string_view& lines) {
        if (lines.empty()) return std::nullopt;
        const auto end = lines.find('\n');
        const auto line = lines.substr(0, end);
        lines.remove_prefix(end == std::string_view::npos ? lines.size() : end + 1);
        return line;
    }
    static std::string shown(const std::optional<std::string_view>& line) {
        return line ? "\"" + printable(line->substr(0, longest_shown)) + "\"" : "(no such line)";
    }
    determinism_result& into_;
};

std::string contents(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    std::string bytes((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
    if (!file) throw std::runtime_error(path + ": cannot be read again, to compare it");
    return bytes;
}

void compare_hosts(comparison& with, const sim::record::run_results& one, const sim::record::run_results& other) {
    with.count("hosts", one.hosts.size(), other.hosts.size());
    for (std::size_t i = 0; i < std::min(one.hosts.size(), other.hosts.size()); ++i) {
        const auto& a = one.hosts[i];
        const auto& b = other.hosts[i];
        with.lines("maillog of " + a.name, a.maillog, b.maillog);
        with.lines("queue of " + a.name, a.queue_json, b.queue_json);
        with.count("mailboxes of " + a.name, a.mailboxes.size(), b.mailboxes.size());
        for (std::size_t k = 0; k < std::min(a.mailboxes.size(), b.mailboxes.size()); ++k) {
            with.lines(fmt::format("mailbox of {} at {}", a.mailboxes[k].user, a.name),
                       a.mailboxes[k].user + "\n" + a.mailboxes[k].text,
                       b.mailboxes[k].user + "\n" + b.mailboxes[k].text);
        }
    }
    with.count("dialogues", one.dialogues.size(), other.dialogues.size());
    for (std::size_t i = 0; i < std::min(one.dialogues.size(), other.dialogues.size()); ++i) {
        with.lines(fmt::format("dialogue {}", i + 1), one.dialogues[i], other.dialogues[i]);
    }
}

}  // namespace

determinism_result compare_runs(const compared_run& one, const compared_run& other) {
    determinism_result result;
    const auto& a = one.run.trail;
    const auto& b = other.run.trail;
    const auto length = std::min(a.size(), b.size());
    result.steps = length;
    const auto [left, right] = std::mismatch(a.begin(), a.begin() + static_cast<std::ptrdiff_t>(length), b.begin());
    if (left != a.begin() + static_cast<std::ptrdiff_t>(length)) {
        result.diverged = std::min(left->when, right->when);
    } else if (a.size() != b.size()) {
        result.diverged = (a.size() > b.size() ? a : b)[length].when;
    }
    comparison with(result);
    compare_hosts(with, one.run.results, other.run.results);
    with.lines("record", one.run.dump, other.run.dump);
    if (!one.capture.empty()) {
        with.bytes("traffic", contents(one.capture), contents(other.capture));
        with.lines("TLS keys", contents(key_log_of(one.capture)), contents(key_log_of(other.capture)));
    }
    return result;
}

std::string determinism_text(const determinism_result& found) {
    if (found.same())
        return fmt::format("Played twice with the same results, in {} steps of virtual time.\n", found.steps);
    std::string out = "Played twice with different results: this seed does not tell all.\n";
    if (found.diverged) out += fmt::format("The runs part at {}.\n", mta::text::iso_stamp(*found.diverged));
    for (const std::string& each : found.differences) out += "    " + each + "\n";
    return out;
}

}  // namespace cli
