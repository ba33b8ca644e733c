// mta/smtpd/peer.hpp - who the client is: its address, and the name that DNS vouches for (smtpd_peer.c).
#pragma once
#include <string>

#include "mta/async/task.hpp"
#include "mta/host.hpp"

namespace mta::smtpd {

struct peer {
    std::string name = "unknown";          // verified: its address is this one
    std::string reverse_name = "unknown";  // of the PTR record alone
    std::string address;
    std::uint16_t port = 0;
    std::string shown_port;  // with smtpd_client_port_logging; "unknown" when XCLIENT says so
    char name_status = '5';  // '2': verified; '4': DNS did not answer; '5': none; '6': another's
    char reverse_name_status = '5';

    maillog::peer for_log() const { return {name, address, shown_port}; }
    std::string name_and_address() const {
        return name + "[" + address + "]" + (shown_port.empty() ? "" : ":") + shown_port;
    }
};

// `look_up`: smtpd_peername_lookup. Warnings are what smtpd logs of names that do not hold.
struct identified {
    peer client;
    std::string warning;
};
task<identified> identify(Host& host, endpoint remote, bool look_up);

}  // namespace mta::smtpd
