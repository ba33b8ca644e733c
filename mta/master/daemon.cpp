#include "mta/master/daemon.hpp"

namespace mta::master {
namespace {

process_pool::limits limits_of(const config::service& row, const config::parameters& parameters) {
    process_pool::limits limits;
    limits.max_idle = parameters.duration("max_idle");
    limits.max_use = static_cast<int>(parameters.number("max_use"));
    limits.processes =
        static_cast<std::size_t>(row.process_limit ? *row.process_limit : parameters.number("default_process_limit"));
    return limits;
}

}  // namespace

std::string syslog_tag(const config::parameters& parameters, std::string_view program) {
    return parameters.text("syslog_name").append("/").append(program);
}

daemon::daemon(const config::service& row, const config::parameters::pointer& main, process_ids& ids)
    : service(row),
      parameters(config::parameters::for_service(main, row)),
      processes(syslog_tag(*parameters, row.command), limits_of(row, *parameters), ids) {}

}  // namespace mta::master
