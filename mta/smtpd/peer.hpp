// mta/smtpd/peer.hpp - who the client is: its address, and the name that DNS vouches for (smtpd_peer.c).
#pragma once
#include <optional>
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

    // What an XCLIENT said before it failed counts, but is not shown: the log goes on with what it knew.
    struct label {
        std::string name, address, port;
    };
    std::optional<label> known_as;
    void keep_label() {
        if (!known_as) known_as = label{name, address, shown_port};
    }

    maillog::peer for_log() const {
        if (known_as) return {known_as->name, known_as->address, known_as->port};
        return {name, address, shown_port};
    }
    std::string name_and_address() const {
        const maillog::peer shown = for_log();
        std::string out(shown.name);
        ((out += '[') += shown.address) += ']';
        if (!shown.port.empty()) (out += ':') += shown.port;
        return out;
    }
};

// `look_up`: smtpd_peername_lookup. Warnings are what smtpd logs of names that do not hold.
struct identified {
    peer client;
    std::string warning;
};
task<identified> identify(Host& host, endpoint remote, bool look_up);

}  // namespace mta::smtpd
