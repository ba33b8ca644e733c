#include "mta/delivery/status_filter.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "mta/cleanup/checks.hpp"
#include "mta/master/mail_system.hpp"

namespace mta::delivery {
namespace {

// The agents that filter; error(8) and discard(8) say what the tables that name them want said.
bool has_filter(std::string_view program) {
    constexpr std::array<std::string_view, 5> agents = {"smtp", "lmtp", "local", "pipe", "virtual"};
    return std::find(agents.begin(), agents.end(), program) != agents.end();
}

bool is_success(std::string_view dsn) {
    return dsn.starts_with('2');
}

}  // namespace

status_filter::status_filter(master::mail_system& mail, const master::daemon& service) {
    if (!has_filter(service.service.command)) return;
    const std::string name = service.service.command + "_delivery_status_filter";
    const config::parameters& p = *service.parameters;
    std::vector<table::diagnostic> complaints;
    maps_ = table::maps::open(name, p.text(name), mail.shared().tables, mail.table_environment(p), {}, complaints);
    for (const table::diagnostic& each : complaints) mail.log(mail.process_of(service.service.command), each);
}

std::vector<std::string> status_filter::apply(queue::delivery_status& status) const {
    if (maps_.empty()) return {};
    const table::match match = maps_.find(fmt::format("{} {}", status.dsn, status.text));
    std::vector<std::string> warnings = match.result.warnings;
    if (!match.found()) return warnings;
    std::string_view text = match.result.value;
    std::string dsn = cleanup::take_status(text);
    if (dsn.empty() || is_success(dsn) != is_success(status.dsn)) {
        warnings.push_back(fmt::format("{}: bad status code: {}", maps_.title(), match.result.value));
        return warnings;
    }
    status.dsn = std::move(dsn);
    if (!text.empty()) status.text = text;
    return warnings;
}

}  // namespace mta::delivery
