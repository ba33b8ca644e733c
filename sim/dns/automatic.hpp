// sim/dns/automatic.hpp - what the lab adds to the zones a topology declares: SOA, NS, an A and a PTR for each machine.
//
// The rules are those that the recorded runs of real Postfix were made with:
// - a zone without a SOA gets $TTL 300, a SOA (minimum 60), an NS `ns` and its A record, all before its text;
// - a machine's A record goes into the longest declared zone that holds its name, unless a line there gives it one
//   (its name relative to the zone, or @, then A); when none holds it, into a new zone named after its parent;
// - its PTR record goes into the zone of its /24 (IPv6: all but the last nibble), which is made if missing;
// - without a zone "." there is an empty root, so that whatever no zone holds does not exist.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "sim/dns/zone.hpp"

namespace sim::dns {

// A host, client or scripted server, in the order the topology declares them (hosts, clients, servers).
struct machine {
    std::string name;
    std::string address;
    std::optional<std::string> ptr;  // nothing: no PTR record; usually the machine's name
    bool a = true;                   // false: no A record
};

struct declared_zone {
    std::string name;
    std::string text;
    security trust = security::insecure;
};

// What a topology says about its DNS.
struct zone_plan {
    std::vector<declared_zone> zones;
    std::vector<machine> machines;
    std::string server_address;                // the DNS server's own
    security root_trust = security::insecure;  // of a root that is not declared
};

// The declared zones in their order, then those made for machines, then the root.
std::vector<zone_source> complete(const zone_plan& plan);

}  // namespace sim::dns
