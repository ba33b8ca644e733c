// Policy requests from hostile clients. Invariants: what is complete has attributes, every answer is one line, and the
// same request at the same time gets the same answer twice.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "sim/scenario/policy_server.hpp"

using namespace sim::scenario;

namespace {

void require(bool held) {
    if (!held) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::string_view text(reinterpret_cast<const char*>(data), size);
    sim::topology::policy rules;
    rules.greylist.emplace();
    policy_mind mind(rules);
    policy_request_parser parser;
    const mta::time_point now{std::chrono::hours(400'000)};
    while (!text.empty()) {
        const auto end = text.find('\n');
        const auto state = parser.add(text.substr(0, end));
        text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
        if (state == policy_request_parser::state::bad) break;
        if (state == policy_request_parser::state::open) continue;
        const policy_request request = parser.take();
        require(!request.empty());
        const std::string answer = mind.decide(request, now);
        require(!answer.empty() && answer.find('\n') == std::string::npos);
        require(mind.decide(request, now) == answer);
    }
    return 0;
}
