// mta/sasl/server.hpp - the server's side of an AUTH exchange: PLAIN, LOGIN, CRAM-MD5, SCRAM-SHA-256 (RFC 4616, RFC
// 2195, RFC 5802, RFC 7677; Cyrus SASL's wording).
//
// An exchange is a value that takes the client's messages one by one, decoded, and answers with a challenge or an
// outcome. It never throws; a message that makes no sense ends it. Which mechanisms are offered is the caller's
// configuration.
#pragma once
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mta/sasl/codes.hpp"

namespace mta {
class random_source;
}

namespace mta::sasl {

// What the exchanges of one service know.
struct realm {
    std::string local_domain;  // smtpd_sasl_local_domain: added to a user without a realm, if any
    std::string host;          // named in challenges; the realm of accounts where there is no local domain
    std::function<std::optional<std::string>(std::string_view user, std::string_view realm)> password;
    random_source* random = nullptr;
};

struct answer {
    enum class kind : std::uint8_t { challenge, success, failure };
    kind what = kind::failure;
    std::string challenge;                   // not encoded
    code reason = code::bad_authentication;  // of a failure
    std::vector<std::string> warnings;       // what the library logs: "SASL authentication failure: ..."
};

class exchange {
  public:
    virtual ~exchange() = default;
    // The client's next message; nothing for AUTH without an initial response.
    virtual answer next(const std::optional<std::string>& message) = 0;
    // "user@realm" once the client has said who it is; else "".
    const std::string& user() const { return user_; }

  protected:
    explicit exchange(const realm& where) : where_(where) {}
    // Settles user(), and finds the password.
    std::optional<std::string> look_up(std::string_view name);
    std::string in_realm(std::string_view name) const;
    static constexpr const char* no_name = "All-whitespace username.";
    static bool is_blank(std::string_view name);
    static answer ask(std::string challenge);
    static answer fail(code reason, std::string warning = {});
    const realm& where_;
    std::string user_;
};

// Null for a mechanism that there is none of. `where` must outlive it.
std::unique_ptr<exchange> begin(std::string_view mechanism, const realm& where);
// What a mechanism does against eavesdroppers and worse (SASL_SEC_*, smtpd_sasl_security_options).
enum class property : std::uint8_t {
    no_plaintext = 1,
    no_active = 2,
    no_dictionary = 4,
    no_anonymous = 8,
    forward_secrecy = 16,
    mutual_auth = 32
};
using property_set = unsigned;
constexpr property_set bit(property each) {
    return static_cast<property_set>(each);
}
// `unknown` receives the words that are none.
property_set parse_properties(std::string_view text, std::vector<std::string>& unknown);
// Whether a mechanism has all that is wanted: ok, no_mechanism, needs_encryption.
code permitted(std::string_view mechanism, property_set wanted);
// All that there are, in the order in which they are announced.
const std::vector<std::string_view>& mechanisms();

}  // namespace mta::sasl
