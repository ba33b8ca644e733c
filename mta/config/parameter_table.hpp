// mta/config/parameter_table.hpp - every main.cf parameter of Postfix 3.7.11: its name, type, default and range
// (postconf(5)).
//
// The rows are in parameter_table_rows.inc, which tools/generate_parameter_table.py writes from an installed Postfix.
// What the lab does with each parameter is written by hand in support.cpp.
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace mta::config {

// `raw` values are not expanded when they are read: their $names are for later, for example $recipient.
// `nint` and `nbool` are numbers and flags whose default text may hold $names.
enum class type : std::uint8_t { string, raw, boolean, nbool, integer, nint, time, long_integer };

struct parameter {
    std::string_view name;
    std::string_view default_text;  // unexpanded, as postconf -d prints it
    type kind;
    char unit;             // of a time without one: s m h d w; else 0
    std::int64_t minimum;  // of the value, or of the length of a string
    std::int64_t maximum;  // 0: none
};

// Sorted by name.
std::span<const parameter> parameter_table();
// Null for a name that Postfix does not know.
const parameter* find_parameter(std::string_view name);

// What `postconf` derives for each delivery service of master.cf: NAME_destination_recipient_limit and its like,
// whose default is `$default_destination_recipient_limit`.
struct transport_parameter {
    std::string_view suffix;    // "_destination_recipient_limit"
    std::string_view base;      // whose value it has by default, and whose type and range it shares
    std::string_view only_for;  // the command it is for ("pipe", "spawn"), or "" for the agents
};
std::span<const transport_parameter> transport_parameter_table();
// The class of such a name; null when `name` has none of the suffixes or is a parameter of its own.
const transport_parameter* find_transport_parameter(std::string_view name);

enum class support : std::uint8_t {
    simulated,                 // does what it does in Postfix
    without_meaning_in_a_lab,  // read, and rightly without effect: paths, process handling
    not_simulated              // would change what Postfix does, and does not here
};
support support_of(std::string_view name);
std::string_view to_string(support);
std::string_view to_string(type);

}  // namespace mta::config
