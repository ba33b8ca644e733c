// The first line is a content filter's pattern, the rest a message. Invariant: every pattern is either refused by the
// check or searched for in bounded time, and a message that goes on is the old one after the filter's header.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "sim/scenario/filter.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace sim;
    const std::string_view input(reinterpret_cast<const char*>(data), size);
    const std::size_t end = input.find('\n');
    const std::string_view message = end == input.npos ? std::string_view() : input.substr(end + 1);
    topology::filter_rule rule;
    rule.match = input.substr(0, end);
    rule.action = topology::filter_action::reject;
    topology::filter filter;
    filter.name = "fuzz";
    filter.header = "X-Checked: yes";
    filter.rules = {rule};
    const bool good = scenario::check_filter(filter).empty();
    if (good != scenario::pattern(rule.match, scenario::dialect::python).valid()) std::abort();
    const scenario::pattern own(rule.match, scenario::dialect::pcre);
    own.search(message);
    const auto outcome = scenario::content_filter(filter).apply(message);
    if (outcome.action == topology::filter_action::accept && outcome.text != "X-Checked: yes\n" + std::string(message))
        std::abort();
    if (!good && outcome.action != topology::filter_action::accept) std::abort();
    if (scenario::readable(scenario::readable(message)) != scenario::readable(message)) std::abort();
    return 0;
}
