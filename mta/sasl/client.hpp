// mta/sasl/client.hpp - the client's side of an AUTH exchange: which of the offered mechanisms to take, and what it
// says (RFC 4422, RFC 4616, RFC 2195, RFC 5802; Cyrus SASL's choice and wording).
//
// SCRAM-SHA-1, -256, -384 and -512, CRAM-MD5, PLAIN, LOGIN and ANONYMOUS; a server that offers others alone (GSSAPI,
// DIGEST-MD5, NTLM) finds no mechanism here. An exchange takes the server's challenges decoded, and never throws.
#pragma once
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "mta/sasl/codes.hpp"

namespace mta {
class random_source;
}

namespace mta::sasl {

// smtp_sasl_security_options: what a mechanism must have.
enum requirement : unsigned {
    not_plaintext = 1,
    not_active = 2,
    not_dictionary = 4,
    not_anonymous = 8,
    mutual_authentication = 16,
    forward_secrecy = 32
};
// False when a word is unknown; it is then in `unknown`.
bool parse_requirements(std::string_view text, unsigned& result, std::string& unknown);

struct credentials {
    std::string user, password;
    random_source* random = nullptr;  // of nonces
};

struct response {
    code result = code::ok;
    std::string text;                   // to send, not encoded
    std::vector<std::string> warnings;  // what the library logs
};

class client_exchange {
  public:
    virtual ~client_exchange() = default;
    std::string_view mechanism() const { return mechanism_; }
    // What goes with the AUTH command; "" for nothing.
    virtual std::string initial() { return {}; }
    response next(std::string_view challenge);

  protected:
    client_exchange(std::string_view mechanism, const credentials& who) : who_(who), mechanism_(mechanism) {}
    virtual response answer(std::string_view challenge) = 0;
    static response say(std::string text);
    static response fail(code why, std::string warning);
    const credentials& who_;
    bool done_ = false;

  private:
    std::string_view mechanism_;
};

// The strongest mechanism among the `offered` words that has all that is `required`; null for none. `who` must outlive
// it.
std::unique_ptr<client_exchange> choose(std::string_view offered, unsigned required, const credentials& who);

}  // namespace mta::sasl
