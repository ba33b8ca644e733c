// sim/lab/check_daemons.hpp - what the daemons of a configuration would say for themselves: at their start, and of
// restrictions that do not exist; and the services and options of master.cf that the lab does not simulate.
//
// The mail system is started as for a trial (trial.hpp); nothing connects to it. Nothing throws.
#pragma once
#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "mta/config/master_cf.hpp"
#include "mta/config/parameters.hpp"
#include "mta/config/problem.hpp"
#include "sim/topology/model.hpp"

namespace sim::lab {

inline constexpr std::array<std::string_view, 8> restriction_lists = {
    "smtpd_client_restrictions", "smtpd_helo_restrictions",       "smtpd_sender_restrictions",
    "smtpd_relay_restrictions",  "smtpd_recipient_restrictions",  "smtpd_etrn_restrictions",
    "smtpd_data_restrictions",   "smtpd_end_of_data_restrictions"};

// The lab's own notes: "the service 628 (qmqpd) is not simulated".
mta::config::problems check_services(const mta::config::master_cf& services);
// In smtpd's words: `unknown smtpd restriction: "permit_mynetwork"`, where the word stands.
mta::config::problems check_restrictions(const mta::config::parameters& values);
// What postfix(1) says of a compatibility_level before 3.6.
mta::config::problems check_level(const mta::config::parameters& values);
// What the daemons log when they start, at the line of master.cf that starts them.
mta::config::problems check_starts(const topology::topology& whole, const topology::host& host);

}  // namespace sim::lab
