// How a verdict looks: the dialogue, under each command the restrictions that were tried, and what decided.
#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>

#include "cli/commands.hpp"
#include "cli/explain.hpp"
#include "cli/problem_json.hpp"

namespace cli {
namespace {

using sim::lab::stage_report;
using sim::lab::tried_rule;
using sim::lab::verdict_report;

std::string_view short_name(std::string_view list) {
    constexpr std::string_view begin = "smtpd_", end = "_restrictions";
    if (list.starts_with(begin) && list.ends_with(end))
        return list.substr(begin.size(), list.size() - begin.size() - end.size());
    if (list.starts_with("smtpd_reject_unlisted_")) return "implied";
    // A table whose entry has restrictions is named in the line above.
    return list.find(':') == std::string_view::npos ? list : std::string_view();
}

paint colour_of(std::string_view status) {
    if (status == "reject") return paint::red;
    if (status == "permit") return paint::green;
    return status == "dunno" ? paint::dim : paint::yellow;
}

struct widths {
    std::size_t place = 0, list = 0, rule = 0;
};

std::string indented(const tried_rule& rule) {
    return std::string(static_cast<std::size_t>(rule.depth) * 2, ' ') + printable(rule.restriction);
}

widths widths_of(const verdict_report& report) {
    widths w;
    for (const stage_report& stage : report.stages) {
        for (const tried_rule& each : stage.rules) {
            w.place = std::max(w.place, each.place.size());
            w.list = std::max(w.list, short_name(each.list).size());
            w.rule = std::max(w.rule, indented(each).size());
        }
    }
    w.list = std::min<std::size_t>(w.list, 24);
    w.rule = std::min<std::size_t>(w.rule, 60);
    return w;
}

// What the rule found, or said: the entry of its table before all.
std::string found_text(const tried_rule& rule) {
    if (rule.table.empty()) return {};
    const std::string entry = rule.value.empty() ? rule.key : fmt::format("{} {}", rule.key, rule.value);
    return fmt::format("  {}: {}", rule.entry_place.empty() ? rule.table : rule.entry_place, printable(entry));
}

std::string rule_line(const tried_rule& rule, const widths& w, const output_style& style) {
    const std::string_view word = rule.status == "warn_if_reject" ? std::string_view() : rule.status;
    const std::string status = painted(fmt::format("{:<7}", word), colour_of(rule.status), style.color);
    std::string line = fmt::format("  {} {:<{}}  {:<{}}  {:<{}}  {}{}", rule.decided ? '>' : ' ', rule.place, w.place,
                                   short_name(rule.list), w.list, indented(rule), w.rule, status, found_text(rule));
    if (rule.status != "reject" && rule.status != "permit" && !rule.text.empty()) line += "  " + printable(rule.text);
    while (line.ends_with(' ')) line.pop_back();
    return line + "\n";
}

std::string sentence(const stage_report& stage) {
    if (!stage.decided_by.empty()) return stage.decided_by;
    const tried_rule* decided = nullptr;
    for (const tried_rule& each : stage.rules) {
        if (each.decided) decided = &each;
    }
    if (!decided) {
        if (stage.rules.empty()) return {};
        return stage.refused ? "" : "no restriction objects: the end of the lists permits";
    }
    std::string text =
        fmt::format("{} by {}", stage.refused ? "refused" : "permitted", printable(decided->restriction));
    if (!decided->place.empty()) text += fmt::format(", {}", decided->place);
    if (!decided->entry_place.empty()) text += fmt::format(", entry {}", decided->entry_place);
    return text;
}

// What a refusal without a reply of its own does.
std::string reply_text(const stage_report& stage) {
    if (stage.reply.empty()) return stage.refused ? "(the connection is cut)" : "";
    std::string shown = printable(stage.reply.substr(0, stage.reply.find("\r\n")));
    if (stage.reply.find("\r\n") != std::string::npos) shown += " ...";
    return shown;
}

boost::json::value or_null(const std::string& text) {
    return text.empty() ? boost::json::value(nullptr) : text_value(text);
}

boost::json::object rule_value(const tried_rule& rule) {
    boost::json::object out;
    out["list"] = text_value(rule.list);
    out["restriction"] = text_value(rule.restriction);
    out["about"] = text_value(rule.about);
    out["status"] = text_value(rule.status);
    out["place"] = or_null(rule.place);
    out["text"] = or_null(rule.text);
    out["table"] = or_null(rule.table);
    out["key"] = or_null(rule.key);
    out["value"] = or_null(rule.value);
    out["asked"] = or_null(rule.asked);
    out["entry_place"] = or_null(rule.entry_place);
    out["depth"] = rule.depth;
    out["decided"] = rule.decided;
    return out;
}

boost::json::array texts(const std::vector<std::string>& all) {
    boost::json::array out;
    for (const std::string& each : all) out.push_back(text_value(each));
    return out;
}

}  // namespace

std::string verdict_text(const verdict_report& report, const output_style& style) {
    std::size_t command_width = 0;
    for (const stage_report& each : report.stages) command_width = std::max(command_width, each.command.size());
    command_width = std::min<std::size_t>(std::max<std::size_t>(command_width, report.client.size() + 5), 60);
    const widths w = widths_of(report);
    std::string out;
    for (const stage_report& each : report.stages) {
        const std::string command = each.command.empty() ? "from " + report.client : each.command;
        const std::string reply =
            painted(reply_text(each), each.refused ? paint::red : paint::green, style.color && !each.reply.empty());
        out += fmt::format("{:<{}}  {}\n", printable(command), command_width, reply);
        for (const tried_rule& rule : each.rules) out += rule_line(rule, w, style);
        if (const std::string why = sentence(each); !why.empty() && (each.refused || !each.rules.empty()))
            out += fmt::format("  {}\n", painted(why, paint::bold, style.color));
    }
    const auto list = [&](std::string_view title, const std::vector<std::string>& lines) {
        for (const std::string& each : lines) out += fmt::format("{}: {}\n", title, printable(each));
    };
    list("effect", report.effects);
    list("log", report.complaints);
    list("note", report.notes);
    return out;
}

std::string verdict_json(const verdict_report& report, int exit_status) {
    boost::json::object out;
    out["relaylab"] = version;
    out["exit_status"] = exit_status;
    out["client"] = text_value(report.client);
    out["refused"] = report.refused;
    boost::json::array stages;
    for (const stage_report& each : report.stages) {
        boost::json::object stage;
        stage["stage"] = each.stage;
        stage["command"] = or_null(each.command);
        stage["reply"] = or_null(each.reply);
        stage["refused"] = each.refused;
        stage["closes"] = each.closes;
        stage["decided_by"] = or_null(sentence(each));
        boost::json::array trail;
        for (const tried_rule& rule : each.rules) trail.push_back(rule_value(rule));
        stage["trail"] = std::move(trail);
        stages.push_back(std::move(stage));
    }
    out["stages"] = std::move(stages);
    out["effects"] = texts(report.effects);
    out["log"] = texts(report.complaints);
    out["notes"] = texts(report.notes);
    return boost::json::serialize(out) + "\n";
}

}  // namespace cli
