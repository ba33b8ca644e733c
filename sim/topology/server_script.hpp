// sim/topology/server_script.hpp - the type of a scripted server's replies, which a server and a `script` step share.
#pragma once
#include "sim/scenario/steps.hpp"
#include "sim/topology/types.hpp"

namespace sim::topology {

// "450 4.2.0 busy", several lines of it joined by \n, "close" or "hang" (RFC 5321, 4.2.1).
struct reply_type {
    using value = std::string;
    static std::optional<std::string> read(context& c, const node& n);
    static std::string json() {
        return R"({"type": "string", "pattern": "^(close|hang|[2-5][0-9][0-9]([ -].*)?)(\\n[2-5][0-9][0-9]([ -].*)?)*$"})";
    }
    static std::string words() { return "SMTP reply, close or hang"; }
};
// "3", "2-4", "5-"
struct session_range_type {
    using value = scenario::session_range;
    static std::optional<value> read(context& c, const node& n);
    static std::string json() {
        return R"({"type": ["integer", "string"], "pattern": "^[1-9][0-9]*(-([1-9][0-9]*)?)?$"})";
    }
    static std::string words() { return "number, or a range as in `2-4` or `5-`"; }
};
// A reply alone, or with its conditions. The key that is read is the verb.
struct scripted_reply_type {
    using value = scenario::scripted_reply;
    static std::optional<value> read(context& c, const node& n);
    static std::string json();
    static std::string words();
};
using replies_type = pairs_of<one_or_list_of<scripted_reply_type>, check_smtp_verb>;

}  // namespace sim::topology
