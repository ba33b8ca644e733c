// sim/topology/tables.hpp - the objects of the format; each has its table in tables.cpp or step_tables.cpp.
#pragma once
#include "sim/topology/reader.hpp"

namespace sim::topology {

template <>
const object_table<topology>& table_of<topology>();
template <>
const object_table<network_settings>& table_of<network_settings>();
template <>
const object_table<link>& table_of<link>();
template <>
const object_table<firewall_rule>& table_of<firewall_rule>();
template <>
const object_table<certificate>& table_of<certificate>();
template <>
const object_table<filter_rule>& table_of<filter_rule>();
template <>
const object_table<filter>& table_of<filter>();
template <>
const object_table<policy>& table_of<policy>();
template <>
const object_table<greylist>& table_of<greylist>();
template <>
const object_table<policy_rule>& table_of<policy_rule>();
template <>
const object_table<host>& table_of<host>();
template <>
const object_table<client>& table_of<client>();
template <>
const object_table<server>& table_of<server>();

template <>
const object_table<scenario::step>& table_of<scenario::step>();
template <>
const object_table<scenario::submit>& table_of<scenario::submit>();
template <>
const object_table<scenario::smtp>& table_of<scenario::smtp>();
struct dialogue_item {  // an entry of a dialogue that is not a line
    scenario::dialogue_entry what;
};
template <>
const object_table<dialogue_item>& table_of<dialogue_item>();
template <>
const object_table<scenario::settle>& table_of<scenario::settle>();
template <>
const object_table<scenario::script>& table_of<scenario::script>();
template <>
const object_table<scenario::superuser>& table_of<scenario::superuser>();
template <>
const object_table<scenario::zone_change>& table_of<scenario::zone_change>();

template <>
const object_table<scenario::expectation>& table_of<scenario::expectation>();
template <>
const object_table<scenario::delivered>& table_of<scenario::delivered>();
template <>
const object_table<scenario::bounced>& table_of<scenario::bounced>();
template <>
const object_table<scenario::refused>& table_of<scenario::refused>();
template <>
const object_table<scenario::log_line>& table_of<scenario::log_line>();
template <>
const object_table<scenario::queue_length>& table_of<scenario::queue_length>();
template <>
const object_table<scenario::mailbox>& table_of<scenario::mailbox>();

// Keeps a zone's text for check_zone_texts, which tells the DNS's hook about each and reports what it finds at its line
// of the file.
void check_zone_text(context& c, std::string_view zone, const block_text& text);
void check_zone_texts(context& c);
std::string zone_name(std::string_view written);  // lower case, no final dot

}  // namespace sim::topology
