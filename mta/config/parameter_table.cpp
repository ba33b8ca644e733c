#include "mta/config/parameter_table.hpp"

#include <algorithm>
#include <array>

namespace mta::config {
namespace {

constexpr parameter rows[] = {
#include "mta/config/parameter_table_rows.inc"
};
static_assert(std::is_sorted(std::begin(rows), std::end(rows),
                             [](const parameter& a, const parameter& b) { return a.name < b.name; }));

// Longer suffixes before those that they end with: "_extra_recipient_limit" is not the "_recipient_limit" of "x_extra".
constexpr transport_parameter transport_rows[] = {
    {"_destination_concurrency_failed_cohort_limit", "default_destination_concurrency_failed_cohort_limit", ""},
    {"_destination_concurrency_negative_feedback", "default_destination_concurrency_negative_feedback", ""},
    {"_destination_concurrency_positive_feedback", "default_destination_concurrency_positive_feedback", ""},
    {"_initial_destination_concurrency", "initial_destination_concurrency", ""},
    {"_destination_concurrency_limit", "default_destination_concurrency_limit", ""},
    {"_destination_recipient_limit", "default_destination_recipient_limit", ""},
    {"_delivery_slot_discount", "default_delivery_slot_discount", ""},
    {"_minimum_delivery_slots", "default_minimum_delivery_slots", ""},
    {"_recipient_refill_limit", "default_recipient_refill_limit", ""},
    {"_destination_rate_delay", "default_destination_rate_delay", ""},
    {"_extra_recipient_limit", "default_extra_recipient_limit", ""},
    {"_recipient_refill_delay", "default_recipient_refill_delay", ""},
    {"_transport_rate_delay", "default_transport_rate_delay", ""},
    {"_delivery_slot_cost", "default_delivery_slot_cost", ""},
    {"_delivery_slot_loan", "default_delivery_slot_loan", ""},
    {"_recipient_limit", "default_recipient_limit", ""},
    {"_time_limit", "command_time_limit", "pipe spawn"},
};

}  // namespace

std::span<const parameter> parameter_table() { return rows; }

const parameter* find_parameter(std::string_view name) {
    const auto* const row = std::lower_bound(std::begin(rows), std::end(rows), name,
                                             [](const parameter& p, std::string_view n) { return p.name < n; });
    return row != std::end(rows) && row->name == name ? row : nullptr;
}

std::span<const transport_parameter> transport_parameter_table() { return transport_rows; }

const transport_parameter* find_transport_parameter(std::string_view name) {
    if (find_parameter(name) != nullptr) return nullptr;
    for (const auto& row : transport_rows) {
        if (name.size() > row.suffix.size() && name.ends_with(row.suffix)) return &row;
    }
    return nullptr;
}

std::string_view to_string(support s) {
    constexpr std::array<std::string_view, 3> names = {"simulated", "without meaning in a lab", "not simulated"};
    return names[static_cast<std::size_t>(s)];
}

std::string_view to_string(type t) {
    constexpr std::array<std::string_view, 8> names = {"string",  "raw",  "boolean", "boolean",
                                                       "integer", "integer", "time",    "long integer"};
    return names[static_cast<std::size_t>(t)];
}

}  // namespace mta::config
