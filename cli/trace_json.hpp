// cli/trace_json.hpp - traces and lists of messages as JSON values, for documents that hold them.
#pragma once
#include <optional>

#include "sim/record/trace.hpp"

namespace boost::json {
class object;
}

namespace cli {

// {"stops": [...]}
boost::json::object trace_value(const sim::record::message_trace& story);
boost::json::object summary_value(const sim::record::message_summary& each);

// Where in a story the message of this row is; nothing for 0.
std::optional<std::size_t> stop_index(const sim::record::message_trace& story, std::int64_t message);

}  // namespace cli
