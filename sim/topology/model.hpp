// sim/topology/model.hpp - a topology file as values: machines, names, links and what to do with them.
//
// What loader.hpp hands out has been checked: addresses lie in the subnet and are unique, names exist, units are
// typed. Each part keeps its place in the file for errors that only show later. Everything is in the file's order.
#pragma once
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sim/scenario/expectation.hpp"
#include "sim/scenario/steps.hpp"
#include "sim/topology/position.hpp"

namespace sim::topology {

// IPv4, the first byte of the dotted quad in the highest bits.
struct address {
    std::uint32_t bits = 0;
    auto operator<=>(const address&) const = default;
};
std::string to_string(address a);
std::optional<address> parse_address(std::string_view text);  // four decimal numbers, no leading zeros

struct subnet {
    address base;
    int prefix = 0;
    std::uint32_t mask() const { return prefix == 0 ? 0 : ~std::uint32_t{0} << (32 - prefix); }
    bool contains(address a) const { return (a.bits & mask()) == base.bits; }
    address broadcast() const { return {base.bits | ~mask()}; }
    auto operator<=>(const subnet&) const = default;
    address dns() const { return {broadcast().bits - 2}; }  // the lab's DNS: the second to last usable address
};
std::string to_string(subnet s);
std::optional<subnet> parse_subnet(std::string_view text);  // no bits beyond the prefix

// What a cable does to traffic; what is absent is left to the network's, and there to the simulation's default.
struct link_quality {
    std::optional<std::chrono::nanoseconds> latency;  // one way
    std::optional<std::uint64_t> bandwidth;           // bits a second, each way
    std::optional<double> loss;                       // probability for each packet, 0 to 1
};

struct network_settings {
    position at;
    topology::subnet subnet{{0xC0A88900}, 24};  // 192.168.137.0/24
    link_quality quality;
};

// The first link that fits a pair of machines decides, in either direction.
struct link {
    position at;
    std::string one;
    std::optional<std::string> other;  // none: everyone
    link_quality quality;
};

enum class firewall_action { accept, drop, reject };
// The first rule that fits a new connection decides; none fits: accepted.
struct firewall_rule {
    position at;
    std::optional<subnet> from, to;     // none: any; a machine is its address with prefix 32
    std::optional<std::uint16_t> port;  // none: any
    firewall_action action = firewall_action::drop;
};

// A text of several lines within the file (a zone, a table, master.cf lines).
struct block_text {
    std::string text;
    position at;           // of the text's first line when it is a literal block (`|`), else of the value
    bool literal = false;  // its lines are the file's lines
    // Where a line and column (from 1) of the text stand in the file.
    position place(int line, int column = 1) const;
};

struct zone {
    position at;       // of its name
    std::string name;  // lower case, no final dot; "" is the root
    block_text text;   // master-file text (RFC 1035), without SOA and NS as a rule
};

// A zone that is declared to be signed.
struct secure_zone {
    position at;
    std::string name;
};

struct certificate {
    std::optional<std::string> name;  // the host's own when absent
    bool self_signed = false;
};

enum class filter_action { accept, reject, tempfail, discard };
struct filter_rule {
    position at;
    std::string match;  // regular expression searched over the whole message; "" fits all
    filter_action action = filter_action::accept;
    std::optional<std::string> text;    // what reject and tempfail print
    std::optional<std::string> header;  // put before the message when the rule lets it go on
};
// A content filter: a pipe(8) service of that name. The first rule that matches decides.
struct filter {
    position at;
    std::string name;
    std::optional<std::string> header;  // put on every message that goes on, before the rule's
    std::optional<std::string> footer;  // added to its text, if that is plain
    std::vector<filter_rule> rules;
};

// Greylisting as postgrey does it: a client's network, a sender and a recipient that were not seen together before
// have to come back.
struct greylist {
    std::chrono::nanoseconds delay = std::chrono::minutes(5);
    std::chrono::nanoseconds retry_window = std::chrono::hours(48);   // to come back in, after the first time
    std::chrono::nanoseconds lifetime = std::chrono::hours(24 * 35);  // of what has passed, since it was last seen
    std::uint32_t trusts_after = 5;                                   // deliveries, an hour apart; 0: never
    std::string text = "Greylisted";
};
struct policy_rule {
    position at;
    std::optional<std::string> client, sender, recipient;  // globs; the client's name or address
    std::string action;
};
// What a policy server answers (SMTPD_POLICY_README): the first rule that fits, the greylist, DUNNO.
struct policy {
    position at;
    std::string name;  // of a host's: the endpoint, as in "unix:private/policy"
    std::optional<topology::greylist> greylist;
    std::vector<policy_rule> rules;
};
// Where a host's policy listens: a path, or a port of all its addresses or of 127.0.0.1 alone.
struct policy_place {
    std::string path;
    std::uint16_t port = 0;
    bool loopback = false;
};
std::optional<policy_place> parse_policy_place(std::string_view endpoint);

struct parameter {  // a line of main.cf
    position at;
    std::string name;
    std::string value;  // booleans are yes and no, lists joined by ", ", null is empty
};

struct variable {
    position at;
    std::string name, value;
};

struct account {
    position at;
    std::string user;
    std::string password;
};

struct file {  // $lab_files/NAME
    position at;
    std::string name;
    block_text content;
};

// What every machine on the network has.
struct machine {
    position at;  // of its name
    std::string name;
    topology::address address;
    position address_at;
    std::optional<certificate> tls;
    std::optional<std::string> ptr;  // the name of the PTR record; none: no record
    bool a = true;                   // an A record for its name
};

struct host : machine {
    std::vector<std::string> mailboxes;
    std::vector<account> users_sasl;
    std::vector<parameter> postfix;
    block_text master_cf;
    std::vector<topology::file> files;
    std::vector<topology::file> stand_ins;  // by "type:name" of the table that would ask a server
    std::vector<variable> environment;      // of the mail system's programs
    std::vector<filter> filters;
    std::vector<topology::policy> policies;
    std::optional<std::string> config;  // folder with main.cf, a path that can be opened from where the lab runs
    position config_at;
    bool running = true;
};

struct client : machine {};

struct server : machine {
    std::uint16_t port = 25;
    scenario::replies replies;
    std::vector<std::string> extensions;
    bool down = false;
    std::optional<topology::policy> policy;  // it speaks the policy protocol, not SMTP
};

struct topology {
    position at;  // the file's beginning
    std::string name;
    std::string title;
    std::optional<std::uint64_t> seed;
    network_settings network;
    std::vector<link> links;
    std::vector<firewall_rule> firewall;
    std::vector<zone> zones;
    std::vector<secure_zone> secure_zones;
    std::vector<host> hosts;
    std::vector<client> clients;
    std::vector<server> servers;
    std::vector<scenario::step> steps;
    std::vector<scenario::expectation> expect;  // at the end

    const host* find_host(std::string_view name) const;
    const machine* find_machine(std::string_view name) const;  // hosts, clients, servers
};

}  // namespace sim::topology
