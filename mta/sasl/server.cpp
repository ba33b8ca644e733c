#include "mta/sasl/server.hpp"

#include <algorithm>

#include "mta/text/strings.hpp"

namespace mta::sasl {

const std::vector<std::string_view>& mechanisms() {
    static const std::vector<std::string_view> all = {"PLAIN", "LOGIN", "CRAM-MD5", "SCRAM-SHA-256"};
    return all;
}

std::optional<std::string> exchange::look_up(std::string_view name) {
    user_ = in_realm(name);
    const std::size_t at = user_.rfind('@');
    const std::string_view user = std::string_view(user_).substr(0, at);
    return where_.password(user, at == std::string::npos ? where_.host : std::string_view(user_).substr(at + 1));
}

std::string exchange::in_realm(std::string_view name) const {
    const bool qualified = where_.local_domain.empty() || name.find('@') != std::string_view::npos;
    return std::string(name) + (qualified ? "" : "@" + where_.local_domain);
}

bool exchange::is_blank(std::string_view name) {
    return std::all_of(name.begin(), name.end(), text::is_space);
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
