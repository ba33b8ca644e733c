// cli/trace.hpp - a message's trace as text for a terminal and as JSON for programs (relaylab trace).
//
// Text is plain, aligned and at most `width` columns where its content allows; colour only when asked for.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "mta/text/dates.hpp"
#include "sim/record/received_chain.hpp"
#include "sim/record/trace.hpp"

namespace cli {

struct trace_style {
    std::size_t width = 100;
    bool color = false;
    mta::text::time_zone zone;
    trace_style() = default;
};

std::string trace_text(const sim::record::message_trace& story, const trace_style& style);
std::string trace_json(const sim::record::message_trace& story);
std::string messages_text(const std::vector<sim::record::message_summary>& messages, const trace_style& style);
std::string messages_json(const std::vector<sim::record::message_summary>& messages);
std::string differences_text(const std::vector<sim::record::chain_difference>& differences, const trace_style& style);

struct trace_output {
    std::string text;     // for stdout
    std::string error;    // for stderr; "" when all is well
    int exit_status = 0;  // 0, or 2: no such message
};
// `relaylab trace DB [MESSAGE]`: the list of messages when `wanted` is empty. Throws sim::record::record_error.
trace_output trace_command(const sim::record::database& record, std::string_view wanted, bool json,
                           const trace_style& style);

}  // namespace cli
