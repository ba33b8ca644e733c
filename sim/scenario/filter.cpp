#include "sim/scenario/filter.hpp"

#include <utility>

namespace sim::scenario {
namespace {

constexpr int exit_unavailable = 69, exit_temporary_failure = 75;

filter_outcome printed(topology::filter_action action, int status, std::string text) {
    return {action, status, std::move(text) + "\n"};
}

}  // namespace

content_filter::content_filter(const topology::filter& rules) : name_(rules.name), header_(rules.header.value_or("")) {
    rules_.reserve(rules.rules.size());
    for (const auto& each : rules.rules) rules_.push_back({each, pattern(each.match, dialect::python)});
}

filter_outcome content_filter::apply(std::string_view message) const {
    using enum topology::filter_action;
    const rule* hit = nullptr;
    for (const auto& each : rules_) {
        const search_result result = each.match.search(message);
        if (result == search_result::too_costly) {
            return printed(tempfail, exit_temporary_failure,
                           "filter " + name_ + ": the pattern at " + topology::to_string(each.as_written.at) +
                               " is too costly for this message");
        }
        if (result == search_result::found) {
            hit = &each;
            break;
        }
    }
    const topology::filter_action action = hit ? hit->as_written.action : accept;
    switch (action) {
        case reject:
            return printed(action, exit_unavailable, hit->as_written.text.value_or("message content rejected"));
        case tempfail:
            return printed(action, exit_temporary_failure, hit->as_written.text.value_or("try again later"));
        case discard:
            return {action, 0, ""};
        case accept:
            break;
    }
    filter_outcome result;
    // The rule's header comes out above the filter's.
    if (hit && hit->as_written.header && !hit->as_written.header->empty()) result.text = *hit->as_written.header + "\n";
    if (!header_.empty()) result.text += header_ + "\n";
    result.text += message;
    return result;
}

std::vector<filter_problem> check_filter(const topology::filter& rules) {
    std::vector<filter_problem> result;
    for (const auto& each : rules.rules) {
        if (const auto problem = check_pattern(each.match, dialect::python)) {
            result.push_back({each.at, "filter " + rules.name + ": the pattern \"" + each.match +
                                           "\" is no regular expression: " + problem->text + " at its character " +
                                           std::to_string(problem->offset + 1) +
                                           "; correct it (the syntax is that of Python's re)"});
        }
    }
    return result;
}

}  // namespace sim::scenario
