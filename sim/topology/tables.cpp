// sim/topology/tables.cpp - the keys of a topology: network, zones and machines.
//
// The rows' order is the order in which they are read: machines before what names them.
#include "sim/topology/tables.hpp"

#include <iterator>

#include "mta/text/strings.hpp"
#include "sim/topology/machine_types.hpp"
#include "sim/topology/server_script.hpp"

namespace sim::topology {

namespace {

// Into what a file before this one said, so that a scenario may slow down the network of its topology.
void read_network(context& c, const node& n, topology& t) {
    const subnet before = t.network.subnet;
    t.network.at = n.at;
    read_object(c, n, t.network);
    if (t.network.subnet == before || t.hosts.size() + t.clients.size() + t.servers.size() == 0) return;
    c.error(n.at, "the subnet is " + to_string(before) +
                      " in the topology this file starts from, and its machines have their "
                      "addresses there; leave it");
}

// A machine's name is one of a kind, and its PTR record's when it names none.
template <machine_kind Kind>
constexpr auto begin_machine = [](context& c, machine& m) {
    m.ptr = m.name;
    const auto [first, is_new] = c.names.try_emplace(mta::text::lowered(m.name), named_machine{m.name, m.at, Kind});
    if (!is_new)
        c.error(m.at, "the name " + quoted_word(m.name) + " is taken (" + to_string(first->second.at) +
                          "); hosts, clients and servers each need a name of their own");
};
constexpr auto begin_filter = [](context&, filter&) {};
constexpr auto begin_policy = [](context&, policy&) {};
constexpr auto append = [](auto& to, auto&& from) {
    to.insert(to.end(), std::make_move_iterator(from.begin()), std::make_move_iterator(from.end()));
};

template <class M>
constexpr row<M> address_row() {
    return field_set<M, address_type, [](M& m, address a, const node& n) {
        m.address = a;
        m.address_at = n.at;
    }>("address", need::required, "Its IPv4 address, within the subnet, as in `address: 192.168.137.2`.");
}
template <class M>
constexpr row<M> tls_row() {
    return field<M, &M::tls, tls_type>(
        "tls", need::optional,
        "`true`: a certificate of the lab's CA for its name; a map makes a wrong one. Default: none.");
}
template <class M>
constexpr row<M> ptr_row() {
    return field<M, &M::ptr, ptr_type>(
        "ptr", need::optional, "The name in the PTR record of its address; `null`: no record. Default: its own name.");
}
template <class M>
constexpr row<M> a_row() {
    return field<M, &M::a, boolean_type>("a", need::optional, "`false`: no A record for its name. Default: `true`.");
}

constexpr std::uint16_t policy_port = 10023;  // postgrey's

constexpr std::array<std::string_view, 3> firewall_actions{"accept", "drop", "reject"};
constexpr std::array<std::string_view, 4> filter_actions{"accept", "reject", "tempfail", "discard"};

constexpr auto set_latency = [](auto& o, std::chrono::nanoseconds v, const node&) { o.quality.latency = v; };
constexpr auto set_bandwidth = [](auto& o, std::uint64_t v, const node&) { o.quality.bandwidth = v; };
constexpr auto set_loss = [](auto& o, double v, const node&) { o.quality.loss = v; };

}  // namespace

template <>
const object_table<topology>& table_of<topology>() {
    using t = topology;
    static const row<t> rows[] = {
        field<t, &t::name, line_type>("name", need::optional,
                                      "What it is called in reports. Default: the file's name."),
        field<t, &t::title, line_type>("title", need::optional, "What it shows, in a sentence."),
        // Opened before all other keys, by the loader; here it is only checked.
        field_set<t, text_type, [](t&, std::string, const node&) {}>(
            "topology", need::optional,
            "Another file to start from, relative to this one. This file adds zones, machines, links and "
            "rules to it, and its own `steps`, if it has any, replace the other's steps and expectations."),
        field<t, &t::seed, seed_type>("seed", need::optional,
                                      "Where all randomness comes from; `--seed` overrides it. Default: 1."),
        {"network", need::optional, "The network that all machines are on.", &read_network,
         &object_type<network_settings>::json, &object_type<network_settings>::words},
        field_set<t, named_objects<host, check_machine_name, begin_machine<machine_kind::host>>,
                  [](t& o, std::vector<host> v, const node&) { append(o.hosts, v); }>(
            "hosts", need::optional, "Machines with a mail system, by name; the name is their `myhostname`."),
        field_set<t, named_objects<client, check_machine_name, begin_machine<machine_kind::speaker>>,
                  [](t& o, std::vector<client> v, const node&) { append(o.clients, v); }>(
            "clients", need::optional, "Machines that only speak SMTP to others."),
        field_set<t, named_objects<server, check_machine_name, begin_machine<machine_kind::server>>,
                  [](t& o, std::vector<server> v, const node&) { append(o.servers, v); }>(
            "servers", need::optional, "Scripted SMTP servers, and policy servers."),
        field_set<t, zones_type, [](t& o, std::vector<zone> v, const node&) { append(o.zones, v); }>(
            "zones", need::optional,
            "DNS zones, each the text of a master file (RFC 1035). SOA, NS, and the machines' A and PTR records are "
            "added where they are missing."),
        field_set<t, list_of<secure_zone_type>,
                  [](t& o, std::vector<secure_zone> v, const node&) { append(o.secure_zones, v); }>(
            "secure_zones", need::optional,
            "The zones that are signed: a validating resolver vouches for their records (DNSSEC), as `dane` needs it. "
            "With "
            "any of them the root is signed as well."),
        field_set<t, list_of<object_type<link>>,
                  [](t& o, std::vector<link> v, const node&) { o.links.insert(o.links.begin(), v.begin(), v.end()); }>(
            "links", need::optional,
            "Pairs of machines whose cable differs from the network's; the first that fits decides."),
        field_set<t, list_of<object_type<firewall_rule>>,
                  [](t& o, std::vector<firewall_rule> v, const node&) {
                      o.firewall.insert(o.firewall.begin(), v.begin(), v.end());
                  }>(
            "firewall", need::optional,
            "Who may connect to whom; the first rule that fits decides, and without one the connection is accepted."),
        field<t, &t::steps, list_of<object_type<scenario::step>>>("steps", need::optional, "What happens, in order."),
        field_set<t, list_of<object_type<scenario::expectation>>,
                  [](t& o, std::vector<scenario::expectation> v, const node&) { append(o.expect, v); }>(
            "expect", need::optional, "What must be true at the end."),
    };
    static const object_table<t> table{"topology", "A topology or scenario file.", rows};
    return table;
}

template <>
const object_table<network_settings>& table_of<network_settings>() {
    using t = network_settings;
    static constexpr row<t> rows[] = {
        field<t, &t::subnet, subnet_type>(
            "subnet", need::optional,
            "The addresses of the lab; the second to last usable one is its DNS server. Default: `192.168.137.0/24`."),
        field_set<t, duration_type, set_latency>("latency", need::optional, "How long a packet travels, one way."),
        field_set<t, bandwidth_type, set_bandwidth>("bandwidth", need::optional, "How much a cable carries, each way."),
        field_set<t, probability_type, set_loss>("loss", need::optional, "How many packets are lost."),
    };
    static constexpr object_table<t> table{"network", "The network that all machines are on.", rows};
    return table;
}

template <>
const object_table<link>& table_of<link>() {
    using t = link;
    static constexpr row<t> rows[] = {
        field_set<t, ends_type,
                  [](t& o, ends e, const node&) {
                      o.one = std::move(e.one);
                      o.other = std::move(e.other);
                  }>("between", need::required,
                     "The two machines, as in `between: [a.example, b.example]`, or a machine and `any`."),
        field_set<t, duration_type, set_latency>(
            "latency", need::optional,
            "How long a packet travels, one way. Default: the network's, as for the others."),
        field_set<t, bandwidth_type, set_bandwidth>("bandwidth", need::optional,
                                                    "How much the cable carries, each way."),
        field_set<t, probability_type, set_loss>("loss", need::optional, "How many packets are lost."),
    };
    static constexpr object_table<t> table{"link", "A cable that differs from the network's.", rows};
    return table;
}

template <>
const object_table<firewall_rule>& table_of<firewall_rule>() {
    using t = firewall_rule;
    static constexpr row<t> rows[] = {
        field<t, &t::from, endpoint_type>("from", need::optional, "Who connects. Default: `any`."),
        field<t, &t::to, endpoint_type>("to", need::optional, "To whom. Default: `any`."),
        field<t, &t::port, any_port_type>("port", need::optional, "The TCP port that is connected to. Default: `any`."),
        field<t, &t::action, choice_type<firewall_action, firewall_actions>>(
            "action", need::required,
            "`drop` lets the client wait in vain, `reject` refuses the connection, `accept` lets it through."),
    };
    static constexpr object_table<t> table{"firewall-rule", "A rule of the network's firewall.", rows};
    return table;
}

template <>
const object_table<certificate>& table_of<certificate>() {
    using t = certificate;
    static constexpr row<t> rows[] = {
        field<t, &t::name, domain_type>("name", need::optional,
                                        "The name in the certificate. Default: the machine's own."),
        field<t, &t::self_signed, boolean_type>("self_signed", need::optional,
                                                "`true`: not signed by the lab's CA. Default: `false`."),
    };
    static constexpr object_table<t> table{"tls", "A certificate that is wrong on purpose.", rows};
    return table;
}

template <>
const object_table<filter_rule>& table_of<filter_rule>() {
    using t = filter_rule;
    static constexpr row<t> rows[] = {
        field<t, &t::match, filter_pattern_type>(
            "match", need::optional, "Searched in the whole message, header and body. Default: it fits every message."),
        field<t, &t::action, choice_type<filter_action, filter_actions>>(
            "action", need::optional, "What becomes of the message. Default: `accept`."),
        field<t, &t::text, text_type>("text", need::optional, "What the filter says when it rejects."),
        field<t, &t::header, line_type>("header", need::optional,
                                        "Put on the message when it goes on, before the filter's own header."),
    };
    static constexpr object_table<t> table{"filter-rule", "A rule of a content filter; the first that matches decides.",
                                           rows};
    return table;
}

template <>
const object_table<filter>& table_of<filter>() {
    using t = filter;
    static constexpr row<t> rows[] = {
        field<t, &t::header, line_type>("header", need::optional,
                                        "Put on every message that goes on, as in `X-Spam-Checked: yes`."),
        field<t, &t::footer, text_type>("footer", need::optional,
                                        "Added to the end of its text, such as a disclaimer; mail of several parts, or "
                                        "whose text is encoded, stays "
                                        "as it is."),
        field<t, &t::rules, list_of<object_type<filter_rule>>>("rules", need::optional,
                                                               "What it looks for. Default: every message goes on."),
    };
    static constexpr object_table<t> table{"filter", "A content filter: a pipe(8) service of its name in master.cf.",
                                           rows};
    return table;
}

template <>
const object_table<host>& table_of<host>() {
    using t = host;
    static constexpr row<t> rows[] = {
        address_row<t>(),
        tls_row<t>(),
        field<t, &t::mailboxes, list_of<mailbox_user_type>>("mailboxes", need::optional,
                                                            "Local users that local(8) finds."),
        field<t, &t::users_sasl,
              placed_pairs_of<account, &account::user, &account::password, line_type, check_user_name>>(
            "users_sasl", need::optional,
            "Users and passwords for AUTH, in the realm `$myhostname`; turns `smtpd_sasl_auth_enable` on."),
        field_set<t, config_type,
                  [](t& o, std::string v, const node& n) {
                      o.config = std::move(v);
                      o.config_at = n.at;
                  }>("config", need::optional,
                     "A real `/etc/postfix` folder to start from, relative to this file; `postfix:` overrides it."),
        field<t, &t::postfix, parameters_type>("postfix", need::optional,
                                               "main.cf parameters by their own names; lists are joined with commas, "
                                               "`$lab_files` and `$lab_tls` are the host's folders."),
        field<t, &t::master_cf, block_type>("master_cf", need::optional, "Lines added to master.cf."),
        field<t, &t::files, placed_pairs_of<file, &file::name, &file::content, block_type, check_file_name>>(
            "files", need::optional,
            "Lookup tables and the like, named `$lab_files/NAME` in parameters; `hash:` tables are indexed."),
        field<t, &t::stand_ins, placed_pairs_of<file, &file::name, &file::content, block_type, check_stand_in>>(
            "stand_ins", need::optional,
            "What tables know that would ask a server, by their name in parameters, as in "
            "`ldap:/etc/postfix/users.cf`: keys and values, one pair a line."),
        field<t, &t::environment,
              placed_pairs_of<variable, &variable::name, &variable::value, line_type, check_variable_name>>(
            "environment", need::optional, "Variables of the mail system's programs, for `environ:` tables."),
        field<t, &t::filters, named_objects<filter, check_service_name, begin_filter>>(
            "filters", need::optional, "Content filters by the name of their service."),
        field<t, &t::policies, named_objects<policy, check_policy_endpoint, begin_policy>>(
            "policies", need::optional,
            "Policy servers on this host, by the endpoint that check_policy_service names: `unix:private/policy`, "
            "`inet:127.0.0.1:10023`, or `inet:10023`, which other hosts reach too."),
        ptr_row<t>(),
        a_row<t>(),
        field<t, &t::running, boolean_type>("running", need::optional, "`false`: a step starts it. Default: `true`."),
    };
    static constexpr object_table<t> table{"host", "A machine with a mail system.", rows};
    return table;
}

template <>
const object_table<client>& table_of<client>() {
    using t = client;
    static constexpr row<t> rows[] = {address_row<t>(), tls_row<t>(), ptr_row<t>(), a_row<t>()};
    static constexpr object_table<t> table{"client", "A machine that only speaks SMTP to others.", rows};
    return table;
}

template <>
const object_table<server>& table_of<server>() {
    using t = server;
    static constexpr row<t> rows[] = {
        address_row<t>(),
        field_set<t, object_type<policy>,
                  [](t& o, policy p, const node&) {
                      o.policy = std::move(p);
                      o.port = policy_port;
                  }>(
            "policy", need::optional,
            "It is a policy server, which smtpd asks (check_policy_service inet:NAME:PORT), and speaks no SMTP."),
        field<t, &t::port, port_type>("port", need::optional,
                                      "Where it listens. Default: 25, and 10023 with `policy`."),
        field<t, &t::replies, replies_type>(
            "replies", need::optional,
            "Its reply to a verb (also `CONNECT`, and `END` for the dot); a list gives one a use, the last one for "
            "ever; `close` drops the connection, `hang` never answers."),
        field<t, &t::extensions, list_of<line_type>>("extensions", need::optional, "EHLO keywords that it announces."),
        tls_row<t>(),
        field<t, &t::down, boolean_type>("down", need::optional, "`true`: nothing listens. Default: `false`."),
        ptr_row<t>(),
        a_row<t>(),
    };
    static constexpr object_table<t> table{"server", "A scripted SMTP server, or a policy server.", rows};
    return table;
}

template <>
const object_table<scenario::scripted_reply>& table_of<scenario::scripted_reply>() {
    using t = scenario::scripted_reply;
    static constexpr row<t> rows[] = {
        field<t, &t::text, reply_type>("reply", need::required, "What it says, as in `450 4.2.0 busy`."),
        field<t, &t::times, integer_type<std::uint32_t, 1, 1'000'000>>(
            "times", need::optional,
            "How often it is given. Default: once; where there is a condition, as long as that holds."),
        field<t, &t::sender, line_type>("sender", need::optional,
                                        "Only for mail from this address; `*` and `?` stand for anything."),
        field<t, &t::recipient, line_type>("recipient", need::optional,
                                           "Only for this recipient; at DATA and END, for mail that has it."),
        field<t, &t::session, session_range_type>("session", need::optional,
                                                  "Only in these sessions, counted from 1, as in `3`, `2-4` or `5-`."),
        field<t, &t::delay, duration_type>("delay", need::optional, "How long it takes to say so. Default: 0."),
        field<t, &t::close_after, integer_type<std::uint64_t, 0, 1'000'000'000>>(
            "close_after", need::optional,
            "Under DATA: the connection drops after so many bytes of the message. Default: it is read to its dot."),
    };
    static constexpr object_table<t> table{
        "scripted-reply",
        "A reply and when it is given. Of a verb's list, the first that applies and is not used up is given; when none "
        "is left, the last one without a condition stays.",
        rows};
    return table;
}

}  // namespace sim::topology
