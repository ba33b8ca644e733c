// sim/lab/check.hpp - what can be known to be wrong with a configuration before anything runs.
//
// For a topology: DNS, main.cf and master.cf of each host, tables, filters. For a folder such as /etc/postfix: the same
// of its files. Texts are Postfix's where it has words for a problem; what the lab does not simulate is a warning. An
// error is what Postfix would end a daemon with; a topology with such a host still runs, as that is a thing to study.
// Nothing throws but std::bad_alloc.
#pragma once
#include <string>
#include <vector>

#include "sim/topology/loader.hpp"

namespace sim::lab {

// The hooks for loading a topology that know DNS and regular expressions.
topology::load_hooks check_hooks();

// Configuration of every host of a topology that was loaded, by place.
std::vector<topology::problem> check_hosts(const topology::topology& what);

// main.cf and master.cf in `folder`, with the tables that they name; files under /etc/postfix are looked for in
// `folder`. `host_name` is the machine's, for the defaults of myhostname and mydomain.
std::vector<topology::problem> check_folder(const std::string& folder, const std::string& host_name);

}  // namespace sim::lab
