// sim/topology/server_script.hpp - the type of a scripted server's replies, which a server and a `script` step share.
#pragma once
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
using replies_type = pairs_of<one_or_list_of<reply_type>, check_smtp_verb>;

}  // namespace sim::topology
