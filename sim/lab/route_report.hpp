// sim/lab/route_report.hpp - where mail for an address goes: what it is rewritten to, its class, transport and next
// hop, the hosts that would be tried, and the line that says so for each (ADDRESS_REWRITING_README,
// ADDRESS_CLASS_README, transport(5), virtual(5)).
//
// The answers are those of the mail system's own resolver and SMTP client; lists and tables are asked again only for
// the places of their entries. Bounded as cleanup(8) is. Nothing throws but mta::config::fatal for an unusable table.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "sim/lab/trial.hpp"

namespace sim::lab {

// One table or list that said something.
struct route_step {
    std::string what;   // "rewritten", "virtual alias", "class", "transport"
    std::string from;   // the address or domain that was asked for
    std::string to;     // what it became, or is
    std::string by;     // the parameter
    std::string entry;  // the key, with its value where that is more than `to`
    std::string place;  // "virtual:3", "main.cf:17", "default"
};

struct route_host {
    std::string name, address;
    int preference = 0;
};

struct recipient_route {
    std::string recipient;
    std::string address_class;  // local, virtual_alias, virtual_mailbox, relay, default
    std::string transport, next_hop;
    std::vector<route_step> steps;
    std::vector<route_host> hosts;  // in the order they are tried
    std::string problem;            // why it goes nowhere, or would loop: "5.4.6 mail for x loops back to myself"
    std::vector<std::string> warnings;
};

struct route_report {
    std::string asked;
    std::vector<route_step> rewriting;
    std::string problem;  // of the expansion
    std::vector<recipient_route> routes;
};

route_report explain_route(trial& host, std::string_view sender, std::string_view recipient);

}  // namespace sim::lab
