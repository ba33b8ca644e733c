#include <algorithm>
#include <boost/json.hpp>

#include "cli/commands.hpp"
#include "cli/problem_json.hpp"
#include "cli/report.hpp"
#include "cli/trace_json.hpp"
#include "mta/text/dates.hpp"
#include "sim/record/json.hpp"

namespace cli {
namespace {

namespace json = boost::json;

json::value or_null(const std::string& text) {
    return text.empty() ? json::value(nullptr) : text_value(text);
}

json::array verdict_values(const played& run) {
    json::array all;
    for (const auto& each : run.verdicts) {
        json::object out;
        out["file"] = text_value(each.at.file);
        out["line"] = each.at.line;
        out["column"] = each.at.column;
        out["held"] = each.held;
        out["expected"] = text_value(each.expected);
        out["found"] = text_value(each.found);
        out["nearest"] = or_null(each.nearest);
        all.push_back(std::move(out));
    }
    return all;
}

json::array violation_values(const played& run) {
    json::array all;
    for (const auto& each : run.violations) {
        json::object out;
        out["host"] = each.host;
        out["queue_id"] = or_null(each.queue_id);
        out["text"] = text_value(each.text);
        all.push_back(std::move(out));
    }
    return all;
}

json::object copy_value(const delivered_copy& copy) {
    json::object out;
    out["host"] = copy.host;
    out["user"] = text_value(copy.user);
    json::array headers, differences;
    for (const auto& each : copy.headers) headers.push_back(text_value(each.text));
    for (const auto& each : copy.differences) {
        json::object difference;
        difference["hop"] = text_value(each.hop);
        difference["field"] = each.field;
        difference["recorded"] = or_null(each.recorded);
        difference["header"] = or_null(each.header);
        difference["explanation"] = text_value(each.explanation);
        differences.push_back(std::move(difference));
    }
    out["received"] = std::move(headers);
    out["differences"] = std::move(differences);
    return out;
}

// All messages; those beyond the first thousand without their stops.
json::array message_values(const played& run) {
    json::array all;
    for (std::size_t i = 0; i < run.messages.size(); ++i) {
        json::object out = summary_value(run.messages[i]);
        out["stops"] = nullptr;
        out["copies"] = nullptr;
        if (i < run.told.size()) {
            out["stops"] = std::move(trace_value(run.told[i].story)["stops"]);
            json::array copies;
            for (const auto& each : run.told[i].copies) copies.push_back(copy_value(each));
            out["copies"] = std::move(copies);
        }
        all.push_back(std::move(out));
    }
    return all;
}

// As `postqueue -j` has it: an object a line.
json::value queue_value(const sim::record::host_results& host) {
    if (!host.mail_system) return nullptr;
    json::array queue;
    std::string_view lines = host.queue_json;
    while (!lines.empty()) {
        const auto end = lines.find('\n');
        queue.push_back(json::parse(json::string_view(lines.data(), std::min(end, lines.size()))));
        lines.remove_prefix(end == std::string_view::npos ? lines.size() : end + 1);
    }
    return queue;
}

json::array host_values(const run_report& report) {
    json::array all;
    const auto& logs = report.run.logs;
    for (const auto& each : report.run.results.hosts) {
        json::object out;
        out["name"] = each.name;
        const auto* machine = report.what->find_machine(each.name);
        out["address"] = machine ? json::value(sim::topology::to_string(machine->address)) : json::value(nullptr);
        const auto log = std::find_if(logs.begin(), logs.end(), [&](const auto& l) { return l.first == each.name; });
        out["maillog"] = log == logs.end() ? json::value(nullptr) : text_value(log->second);
        json::object mailboxes;
        for (const auto& box : each.mailboxes) mailboxes[sim::record::well_formed(box.user)] = text_value(box.text);
        out["mailboxes"] = std::move(mailboxes);
        out["queue"] = queue_value(each);
        all.push_back(std::move(out));
    }
    return all;
}

json::value determinism_value(const std::optional<determinism_result>& found) {
    if (!found) return nullptr;
    json::object out;
    out["same"] = found->same();
    out["first_divergence"] =
        found->diverged ? json::value(mta::text::iso_stamp(*found->diverged)) : json::value(nullptr);
    json::array differences;
    for (const auto& each : found->differences) differences.push_back(text_value(each));
    out["differences"] = std::move(differences);
    return out;
}

}  // namespace

std::string report_json(const run_report& report) {
    const played& run = report.run;
    json::object out;
    out["relaylab"] = version;
    out["file"] = text_value(report.file);
    out["name"] = text_value(report.what->name);
    out["title"] = or_null(report.what->title);
    out["seed"] = run.seed;
    out["exit_status"] = report.status;
    out["held"] = run.held();
    out["began"] = mta::text::iso_stamp(run.began);
    out["ended"] = mta::text::iso_stamp(run.ended);
    out["elapsed_ns"] = (run.ended - run.began).count();
    out["cut_off"] = !run.over;
    out["problems"] = problem_values(report.problems);
    out["expectations"] = verdict_values(run);
    out["unjudged_expectations"] = run.unjudged;
    out["violations"] = violation_values(run);
    out["messages"] = message_values(run);
    out["hosts"] = host_values(report);
    json::array dialogues;
    for (const auto& each : run.results.dialogues) dialogues.push_back(text_value(each));
    out["dialogues"] = std::move(dialogues);
    out["determinism"] = determinism_value(report.determinism);
    json::object written;
    written["folder"] = or_null(report.written.folder);
    written["database"] = or_null(report.written.database);
    written["capture"] = or_null(report.written.capture);
    out["written"] = std::move(written);
    return json::serialize(out) + "\n";
}

}  // namespace cli
