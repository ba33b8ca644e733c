// How a route looks: what the address becomes, and for each recipient its class, transport, next hop and hosts.
#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>

#include "cli/commands.hpp"
#include "cli/explain.hpp"
#include "cli/problem_json.hpp"

namespace cli {
namespace {

using sim::lab::recipient_route;
using sim::lab::route_report;
using sim::lab::route_step;

std::string step_line(const route_step& step, std::size_t place_width) {
    const std::string entry = step.entry.empty() ? std::string() : fmt::format("  ({})", printable(step.entry));
    std::string by = step.by.empty() ? "no list has it" : step.by;
    return fmt::format("  {:<{}}  {:<13}  {}  by {}{}\n", step.place, place_width, step.what, printable(step.to), by,
                       entry);
}

std::size_t place_width(const route_report& report) {
    std::size_t width = 0;
    for (const route_step& each : report.rewriting) width = std::max(width, each.place.size());
    for (const recipient_route& route : report.routes) {
        for (const route_step& each : route.steps) width = std::max(width, each.place.size());
    }
    return width;
}

boost::json::array step_values(const std::vector<route_step>& steps) {
    boost::json::array out;
    for (const route_step& each : steps) {
        boost::json::object step;
        step["what"] = each.what;
        step["from"] = text_value(each.from);
        step["to"] = text_value(each.to);
        step["by"] = each.by;
        step["entry"] = text_value(each.entry);
        step["place"] = text_value(each.place);
        out.push_back(std::move(step));
    }
    return out;
}

}  // namespace

std::string route_text(const route_report& report, const output_style& style) {
    const std::size_t width = place_width(report);
    std::string out = printable(report.asked) + "\n";
    for (const route_step& each : report.rewriting) out += step_line(each, width);
    if (!report.problem.empty())
        out +=
            fmt::format("  {}\n", painted("would not be taken: " + printable(report.problem), paint::red, style.color));
    for (const recipient_route& route : report.routes) {
        out += fmt::format("{}  ->  {}\n", painted(printable(route.recipient), paint::bold, style.color),
                           printable(fmt::format("{}:{}", route.transport, route.next_hop)));
        for (const route_step& each : route.steps) out += step_line(each, width);
        for (std::size_t i = 0; i < route.hosts.size(); ++i) {
            out += fmt::format("  {:<{}}  {:<13}  {}[{}]  preference {}\n", "", width, i == 0 ? "hosts" : "then",
                               printable(route.hosts[i].name), route.hosts[i].address, route.hosts[i].preference);
        }
        if (!route.problem.empty())
            out += fmt::format("  {}\n", painted("would fail: " + printable(route.problem), paint::red, style.color));
        for (const std::string& each : route.warnings) out += fmt::format("  warning: {}\n", printable(each));
    }
    return out;
}

std::string route_json(const route_report& report, int exit_status) {
    boost::json::object out;
    out["relaylab"] = version;
    out["exit_status"] = exit_status;
    out["asked"] = text_value(report.asked);
    out["rewriting"] = step_values(report.rewriting);
    out["problem"] = report.problem.empty() ? boost::json::value(nullptr) : text_value(report.problem);
    boost::json::array routes;
    for (const recipient_route& each : report.routes) {
        boost::json::object route;
        route["recipient"] = text_value(each.recipient);
        route["class"] = each.address_class;
        route["transport"] = text_value(each.transport);
        route["next_hop"] = text_value(each.next_hop);
        route["steps"] = step_values(each.steps);
        boost::json::array hosts;
        for (const auto& host : each.hosts)
            hosts.push_back(boost::json::object{
                {"name", text_value(host.name)}, {"address", host.address}, {"preference", host.preference}});
        route["hosts"] = std::move(hosts);
        route["problem"] = each.problem.empty() ? boost::json::value(nullptr) : text_value(each.problem);
        boost::json::array warnings;
        for (const std::string& text : each.warnings) warnings.push_back(text_value(text));
        route["warnings"] = std::move(warnings);
        routes.push_back(std::move(route));
    }
    out["routes"] = std::move(routes);
    return boost::json::serialize(out) + "\n";
}

}  // namespace cli
