// mta/master/daemon.hpp - one service of master.cf at work: its view of main.cf and its processes (master(8)).
#pragma once
#include <memory>
#include <string>

#include "mta/config/master_cf.hpp"
#include "mta/config/parameters.hpp"
#include "mta/master/process_pool.hpp"

namespace mta::master {

struct daemon {
    // `row` outlives the daemon: hosts that are alike share their master.cf.
    daemon(const config::service& row, const config::parameters::pointer& main, process_ids& ids);

    const config::service& service;
    config::parameters::pointer parameters;  // main.cf under the service's own -o
    process_pool processes;
};

// "postfix/smtpd", "postfix/submission/smtpd": syslog_name and the program (mail_task(3)).
std::string syslog_tag(const config::parameters& parameters, std::string_view program);

}  // namespace mta::master
