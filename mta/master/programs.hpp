// mta/master/programs.hpp - the programs of master.cf (its last column) that this mail system knows: who starts a
// service and who says what is simulated look here (master(5)).
#pragma once
#include <cstdint>
#include <string_view>

namespace mta::master {

enum class program : std::uint8_t {
    unknown,  // nothing stands behind such a service
    smtpd,
    postscreen,
    smtp,
    lmtp,
    local,
    virtual_mailbox,
    pipe,
    error,
    discard,
    part,   // of the work that is done for all: cleanup, qmgr, bounce, ...
    helper  // what it does for others is done where it is needed: proxymap, tlsmgr, ...
};
program program_of(std::string_view command);

}  // namespace mta::master
