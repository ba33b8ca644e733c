#include "sim/scenario/filter.hpp"

#include <algorithm>
#include <utility>

#include "mta/text/strings.hpp"

namespace sim::scenario {
namespace {

constexpr int exit_unavailable = 69, exit_temporary_failure = 75;

filter_outcome printed(topology::filter_action action, int status, std::string text) {
    return {action, status, std::move(text) + "\n"};
}

// Text that more text can be added to: neither multipart nor encoded (RFC 2045, 5 and 6).
bool is_plain(std::string_view message) {
    constexpr std::size_t enough = 200;  // of a folded header
    std::string field;
    while (!message.empty()) {
        const std::size_t end = std::min(message.find('\n'), message.size());
        const std::string_view line = message.substr(0, end);
        if (line.empty()) return true;
        message.remove_prefix(std::min(end + 1, message.size()));
        if (line.front() != ' ' && line.front() != '\t') field.clear();
        if (field.size() > enough) continue;
        field += mta::text::lowered(line.substr(0, enough));
        const std::string_view body = mta::text::trimmed(std::string_view(field).substr(field.find(':') + 1));
        if (field.starts_with("content-type:") && !body.empty() && !body.starts_with("text/")) return false;
        if (field.starts_with("content-transfer-encoding:") && (body == "base64" || body == "quoted-printable"))
            return false;
    }
    return true;
}

}  // namespace

content_filter::content_filter(const topology::filter& rules)
    : name_(rules.name), header_(rules.header.value_or("")), footer_(rules.footer.value_or("")) {
    if (!footer_.empty() && !footer_.ends_with('\n')) footer_ += '\n';
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
    if (!footer_.empty() && is_plain(message)) result.text += footer_;
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
