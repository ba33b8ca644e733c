// sim/lab/mail_configuration.hpp - main.cf and master.cf of a host, from what the topology says of it.
#pragma once
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mta/config/main_cf.hpp"
#include "mta/master/mail_system.hpp"
#include "sim/topology/model.hpp"

namespace sim::lab {

// The files with what was found wrong in them, for a check.
struct configuration_as_read {
    mta::config::main_cf main;
    mta::config::master_cf services;
    mta::config::parameters::pointer values;
    std::size_t added_after = 0;  // lines of a master.cf of its own, before those that the topology adds
};
configuration_as_read read_configuration(const topology::host& host, const std::vector<std::string>& interfaces);

// The stock services with the lines of a topology, by that text: hosts with the same lines have one master.cf in
// memory.
using known_services = std::map<std::string, std::shared_ptr<const mta::config::master_cf>, std::less<>>;

// What a host starts with, and on top of it what the topology sets. Throws mta::config::fatal for what Postfix would
// not start with; warnings are the mail system's to log.
mta::master::configuration mail_configuration(const topology::host& host, const std::vector<std::string>& interfaces,
                                              known_services& known);

// Whether the log of such a host may have UTF-8: a daemon that cannot read its smtputf8_enable has not switched it on.
bool logs_utf8(const mta::config::parameters& main);

}  // namespace sim::lab
