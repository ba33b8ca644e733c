#include "mta/master/programs.hpp"

#include <algorithm>

namespace mta::master {
namespace {

struct row {
    std::string_view command;
    program what;
};
constexpr row rows[] = {
    {"smtpd", program::smtpd},
    {"postscreen", program::postscreen},
    {"smtp", program::smtp},
    {"lmtp", program::lmtp},
    {"local", program::local},
    {"virtual", program::virtual_mailbox},
    {"pipe", program::pipe},
    {"error", program::error},
    {"discard", program::discard},

    {"bounce", program::part},
    {"cleanup", program::part},
    {"dnsblog", program::part},
    {"pickup", program::part},
    {"qmgr", program::part},
    {"tlsproxy", program::part},
    {"trivial-rewrite", program::part},
    {"verify", program::part},

    {"anvil", program::helper},
    {"flush", program::helper},
    {"oqmgr", program::helper},
    {"postlogd", program::helper},
    {"proxymap", program::helper},
    {"scache", program::helper},
    {"showq", program::helper},
    {"tlsmgr", program::helper},
};

}  // namespace

program program_of(std::string_view command) {
    const auto* found =
        std::find_if(std::begin(rows), std::end(rows), [&](const row& each) { return each.command == command; });
    return found == std::end(rows) ? program::unknown : found->what;
}

}  // namespace mta::master
