// sim/scenario/lab.hpp - what a player asks of a world of mail systems, virtual or live.
//
// A lab is built from a topology with every mail system stopped and every scripted server down; the player starts them.
// Names are those of the topology's machines; the loader has checked that they exist. A task ends when the command it
// stands for would have returned to the shell; commands that fail say so in the log and are no error here.
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mta/host.hpp"
#include "sim/scenario/dialogue.hpp"
#include "sim/scenario/evidence.hpp"
#include "sim/scenario/steps.hpp"

namespace sim::scenario {

// One call of sendmail(1): "sendmail -oi [-f from] arguments... -- to...", with `text` on standard input, as uid 0.
struct submission {
    std::optional<std::string> from;  // absent: no -f
    std::vector<std::string> to;
    std::vector<std::string> arguments;
    std::string text;
    submission() = default;
};

class lab {
  public:
    virtual ~lab() = default;

    virtual mta::scheduler& scheduler() = 0;
    // Hosts, clients and servers.
    virtual mta::Host& machine(std::string_view name) = 0;
    virtual mta::address::ip_address address_of(std::string_view name) = 0;
    // The client's side of TLS with the machine's certificate, if it has one; verifies nothing.
    virtual stream_upgrade client_tls(std::string_view machine) = 0;

    virtual mta::task<void> submit(std::string_view host, submission message) = 0;
    // postfix start, stop, reload; postqueue -f.
    virtual mta::task<void> control(std::string_view host, host_action action) = 0;
    virtual mta::task<void> superuser(std::string_view host, std::vector<std::string> arguments) = 0;

    virtual void cable(std::string_view machine, cable_action action) = 0;
    virtual void play_script(std::string_view server, const script& next) = 0;
    // The zone's automatic records stay.
    virtual void replace_zone(std::string_view name, const std::string& text) = 0;

    // When the last line was written to any host's maillog; the world's beginning when none was.
    virtual mta::time_point last_log_growth() const = 0;
    // What has happened up to now, for `expect` steps.
    virtual const scenario::evidence& evidence() const = 0;
};

}  // namespace sim::scenario
