// mta/config/master_cf.hpp - the services of a host: reading master.cf (master(5)).
//
// As with main.cf, nothing throws: problems are collected in Postfix's words, and a service with a fatal one is left
// out.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mta/config/main_cf.hpp"
#include "mta/config/problem.hpp"

namespace mta::config {

enum class transport_type : std::uint8_t { inet, unix_domain, fifo, pass, unix_datagram };
std::string_view to_string(transport_type);  // "inet", "unix", "fifo", "pass", "unix-dgram"

struct service {
    std::string name;  // the first column as written: "smtp", "127.0.0.1:10025"
    transport_type type = transport_type::unix_domain;
    bool is_private = true;
    bool unprivileged = true;
    bool chroot = false;
    std::int64_t wakeup_seconds = 0;            // 0: never
    bool wakeup_only_when_used = false;         // "1000?"
    std::optional<std::int64_t> process_limit;  // 0: none; not set: $default_process_limit
    std::string command;                        // "smtpd"
    std::vector<std::string> arguments;         // without the -o ones; `{...}` stripped of its braces
    std::vector<definition> overrides;          // -o, in order; of equal names the last one counts
    position where;

    // inet only.
    std::string host;  // "" listens on all of inet_interfaces
    std::uint16_t port = 0;
};

struct master_cf {
    std::vector<service> services;  // in file order; a later name/type replaces an earlier one
    problems found;

    // By first column and type; null when there is none.
    const service* find(std::string_view name, transport_type) const;
    // A delivery transport by its name: a unix service.
    const service* transport(std::string_view name) const;
};
master_cf read_master_cf(std::string_view text, std::string_view file);
// The stock services (none chrooted, no submission), and `text` added to them as if appended to that file.
master_cf stock_master_cf_with(std::string_view text, std::string_view file);
std::string_view stock_master_cf();

// The port of a service name of services(5) that has to do with mail, or of a number; nothing for others.
std::optional<std::uint16_t> port_of(std::string_view service);

}  // namespace mta::config
