#include <fmt/format.h>

#include <algorithm>

#include "cli/report.hpp"
#include "cli/trace.hpp"

namespace cli {
namespace {

constexpr std::size_t most_listed = 20;

class text {
  public:
    explicit text(const output_style& style) : style_(style) {}
    void heading(std::string_view words) {
        if (!out_.empty()) out_ += '\n';
        out_ += painted(printable(words), paint::bold, style_.color) + "\n";
    }
    void line(std::string_view words) { (out_ += words) += '\n'; }
    void add(std::string_view lines) { out_ += lines; }
    std::string take() { return std::move(out_); }

  private:
    const output_style& style_;
    std::string out_;
};

// Lines that a log or a dialogue has, none of which may act on the terminal.
std::string printable_lines(std::string_view lines) {
    std::string out;
    while (!lines.empty()) {
        const auto end = lines.find('\n');
        out += printable(lines.substr(0, end)) + "\n";
        lines.remove_prefix(end == std::string_view::npos ? lines.size() : end + 1);
    }
    return out;
}

trace_style style_of(const output_style& style) {
    trace_style result;
    result.width = style.width;
    result.color = style.color;
    return result;
}

void add_maillogs(text& out, const run_report& report) {
    for (const auto& [host, log] : report.run.logs) {
        const auto* declared = report.what->find_host(host);
        out.heading(
            fmt::format("== {} ({}) maillog", host, declared ? sim::topology::to_string(declared->address) : ""));
        out.add(log.empty() ? "(nothing was logged)\n" : printable_lines(log));
    }
}

void add_message(text& out, const told_message& message, const output_style& style) {
    out.heading(fmt::format("== trace of message {}", message.summary.number));
    out.add(trace_text(message.story, style_of(style)));
    for (const delivered_copy& copy : message.copies) {
        out.heading(fmt::format("-- Received headers in the mailbox of {} at {}, newest first", copy.user, copy.host));
        for (const auto& each : copy.headers) out.line("    " + printable(each.text));
        out.add(differences_text(copy.differences, style_of(style)));
    }
}

void add_messages(text& out, const run_report& report, const output_style& style) {
    const auto& all = report.run.messages;
    if (all.size() > report.run.told.size()) {
        out.heading(fmt::format("== {} messages", all.size()));
        const auto listed = std::min(most_listed, all.size());
        out.add(messages_text({all.begin(), all.begin() + static_cast<std::ptrdiff_t>(listed)}, style_of(style)));
        if (listed < all.size()) out.line(fmt::format("and {} more", all.size() - listed));
        const std::string how =
            report.written.database.empty()
                ? "to follow the others, run again with --db run.db and then: relaylab trace run.db NUMBER"
                : fmt::format("to follow the others: relaylab trace {} NUMBER", report.written.database);
        out.line(fmt::format("Traced here: the first {}; {}", report.run.told.size(), how));
    }
    for (const told_message& each : report.run.told) add_message(out, each, style);
}

void add_verdicts(text& out, const run_report& report, const output_style& style) {
    const auto& verdicts = report.run.verdicts;
    if (!verdicts.empty()) out.heading("== expectations");
    for (const auto& each : verdicts) out.line(verdict_line(each, style));
    for (const auto& each : report.run.violations) {
        out.line(painted("LOST    ", paint::red, style.color) + printable(sim::scenario::to_string(each)));
    }
}

void add_summary(text& out, const run_report& report) {
    const played& run = report.run;
    if (!run.over) {
        out.line(fmt::format("Cut off{} in step {} of {}; expectations of the end were judged as things stood then.",
                             report.until.empty() ? std::string() : " by --until " + report.until, run.steps_begun,
                             report.what->steps.size()));
    }
    if (run.unjudged > 0)
        out.line(fmt::format("{} more of steps that were not reached could not be judged.", run.unjudged));
    const auto held =
        std::count_if(run.verdicts.begin(), run.verdicts.end(), [](const auto& each) { return each.held; });
    if (run.verdicts.empty()) {
        out.line("The file expects nothing, so nothing was judged.");
    } else {
        out.line(fmt::format("{} of {} expectations held.", held, run.verdicts.size()));
    }
    if (!run.violations.empty()) {
        const std::size_t count = run.violations.size();
        out.line(
            fmt::format("Mail was lost or doubled ({} {}): report it, if it is not one of the few ways in which "
                        "Postfix loses mail itself (docs/explanation/truth.md).",
                        count, count == 1 ? "finding" : "findings"));
    }
    if (report.determinism) out.add(determinism_text(*report.determinism));
    if (!report.written.folder.empty()) out.line("Run folder: " + report.written.folder);
    if (!report.written.database.empty()) out.line("Record: " + report.written.database);
    if (!report.written.capture.empty()) {
        out.line(fmt::format("Traffic: {}, TLS keys: {}", report.written.capture, key_log_of(report.written.capture)));
    }
}

}  // namespace

std::string verdict_line(const sim::scenario::verdict& each, const output_style& style) {
    std::string line = painted(each.held ? "held    " : "FAILED  ", each.held ? paint::green : paint::red, style.color);
    line += printable(each.expected);
    if (!each.held) {
        line += printable("; found " + each.found);
        if (!each.nearest.empty()) line += printable("; nearest: " + each.nearest);
    }
    return line + painted("   " + sim::topology::to_string(each.at), paint::dim, style.color);
}

std::string report_text(const run_report& report, detail how_much, const output_style& style) {
    text out(style);
    if (how_much == detail::everything) {
        add_maillogs(out, report);
        add_messages(out, report, style);
    }
    add_verdicts(out, report, style);
    if (how_much == detail::everything) out.line("");
    add_summary(out, report);
    return out.take();
}

}  // namespace cli
