// sim/topology/policy_tables.cpp - the keys of policy servers: rules and greylisting (SMTPD_POLICY_README).
#include "sim/topology/tables.hpp"
#include "sim/topology/types.hpp"

namespace sim::topology {
namespace {

// What access(5) does with the text is smtpd's to say; here it only has to be one.
struct action_type : line_type {
    static std::optional<std::string> read(context& c, const node& n) {
        auto text = line_type::read(c, n);
        if (!text || !text->empty()) return text;
        c.wrong_type(n, "an action of access(5)", "write one such as DUNNO, REJECT or \"450 4.7.1 later\"");
        return std::nullopt;
    }
    static std::string words() { return "action of access(5)"; }
};

}  // namespace

template <>
const object_table<policy>& table_of<policy>() {
    using t = policy;
    static const row<t> rows[] = {
        field<t, &t::rules, list_of<object_type<policy_rule>>>("rules", need::optional,
                                                               "The first that fits a request decides. Default: none."),
        field<t, &t::greylist, object_type<greylist>>(
            "greylist", need::optional,
            "Puts off, at RCPT, mail of whom it has not seen before, where no rule fits; `{}` for postgrey's numbers. "
            "Default: the answer is DUNNO."),
    };
    static const object_table<t> table{
        "policy", "What a policy server answers: the first rule that fits, else the greylist's word, else DUNNO.",
        rows};
    return table;
}

template <>
const object_table<greylist>& table_of<greylist>() {
    using t = greylist;
    static constexpr row<t> rows[] = {
        field<t, &t::delay, duration_type>("delay", need::optional,
                                           "How long a client has to wait before it may come back. Default: 5m."),
        field<t, &t::retry_window, duration_type>(
            "retry_window", need::optional,
            "By when, since the first time, it has to come back; later it is as new. Default: 48h."),
        field<t, &t::lifetime, duration_type>(
            "lifetime", need::optional, "How long what has passed is remembered after its last mail. Default: 35d."),
        field<t, &t::trusts_after, count_type>(
            "trusts_after", need::optional,
            "After so many deliveries, at least an hour apart, a client's network waits no more; 0: it always has to. "
            "Default: 5."),
        field<t, &t::text, line_type>("text", need::optional, "What the client is told. Default: `Greylisted`."),
    };
    static constexpr object_table<t> table{
        "greylist",
        "Mail waits when its client's network (an IPv4 /24), sender and recipient were not seen together before.",
        rows};
    return table;
}

template <>
const object_table<policy_rule>& table_of<policy_rule>() {
    using t = policy_rule;
    static constexpr row<t> rows[] = {
        field<t, &t::client, line_type>("client", need::optional,
                                        "Only for clients of this name or address; `*` and `?` stand for anything."),
        field<t, &t::sender, line_type>("sender", need::optional, "Only for mail from this address."),
        field<t, &t::recipient, line_type>("recipient", need::optional, "Only for mail to this address."),
        field<t, &t::action, action_type>("action", need::required,
                                          "The answer, such as `DUNNO`, `REJECT not here`, `PREPEND X-Seen: yes`."),
    };
    static constexpr object_table<t> table{"policy-rule", "A rule of a policy server; all its conditions must hold.",
                                           rows};
    return table;
}

}  // namespace sim::topology
