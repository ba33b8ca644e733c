#include "mta/sasl/server.hpp"

namespace mta::sasl {

const std::vector<std::string_view>& mechanisms() {
    static const std::vector<std::string_view> all = {"PLAIN", "LOGIN", "CRAM-MD5", "SCRAM-SHA-256"};
    return all;
}

std::optional<std::string> exchange::look_up(std::string_view name) {
    const std::size_t at = name.rfind('@');
    const std::string_view user = name.substr(0, at);
    const std::string_view domain =
        at == std::string_view::npos ? std::string_view(where_.local_domain) : name.substr(at + 1);
    user_ = std::string(user) + "@" + std::string(domain);
    return where_.password(user, domain);
}

answer exchange::ask(std::string challenge) {
    answer result;
    result.what = answer::kind::challenge;
    result.challenge = std::move(challenge);
    return result;
}

answer exchange::fail(code reason, std::string warning) {
    answer result;
    result.reason = reason;
    if (!warning.empty()) result.warnings.push_back("SASL authentication failure: " + warning);
    return result;
}

}  // namespace mta::sasl
