#include "cli/load.hpp"

#include <cstdio>

#include "mta/config/parameter_table.hpp"
#include "mta/text/strings.hpp"
#include "sim/dns/automatic.hpp"
#include "sim/dns/zone.hpp"
#include "sim/scenario/pattern.hpp"

namespace cli {
namespace {

using sim::topology::text_problem;

// A zone that does not load is no reason not to run: its server answers SERVFAIL, which is a thing to study.
std::vector<text_problem> check_zone(std::string_view name, std::string_view text) {
    sim::dns::zone_plan plan;
    plan.zones.push_back({std::string(name), std::string(text), sim::dns::security::insecure});
    plan.server_address = "192.0.2.1";
    std::vector<text_problem> problems;
    for (const sim::dns::zone_source& each : sim::dns::complete(plan)) {
        if (each.name != name) continue;
        for (const sim::dns::diagnostic& d : sim::dns::zone::load(each).complaints) {
            text_problem problem;
            problem.line = d.line;
            problem.column = d.column;
            problem.level = sim::topology::severity::warning;
            problem.text = d.advice.empty() ? d.message : d.message + "; " + d.advice;
            problems.push_back(std::move(problem));
        }
    }
    return problems;
}

std::optional<std::string> check_parameter(std::string_view name) {
    if (mta::config::find_parameter(name) || mta::config::find_transport_parameter(name)) return std::nullopt;
    std::vector<std::string_view> known;
    for (const mta::config::parameter& each : mta::config::parameter_table()) known.push_back(each.name);
    const auto near = mta::text::nearest(name, known);
    const std::string text = "Postfix has no parameter " + std::string(name);
    return near.empty() ? text + "; it has an effect only where another value names it" : text + "; did you mean " + std::string(near) + "?";
}

}  // namespace

sim::topology::load_result load_topology(const std::string& path) {
    sim::topology::load_hooks hooks;
    hooks.check_zone = check_zone;
    hooks.check_parameter = check_parameter;
    hooks.check_pattern = [](std::string_view text) -> std::optional<std::string> {
        const auto problem = sim::scenario::check_pattern(text, sim::scenario::dialect::pcre);
        return problem ? std::optional(problem->text) : std::nullopt;
    };
    return sim::topology::load(path, hooks);
}

void print_problems(const sim::topology::load_result& result) {
    for (const auto& each : result.problems) std::fprintf(stderr, "%s\n", sim::topology::to_string(each).c_str());
    if (result.left_out > 0) std::fprintf(stderr, "and %zu more\n", result.left_out);
}

}  // namespace cli
