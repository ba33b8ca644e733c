// mta/sasl/codes.hpp - base64 as the SASL library reads it, keyed digests, and the words that the library has for what
// went wrong (RFC 4422, RFC 4648, sasl_errstring(3)).
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

namespace mta::sasl {

enum class code : std::uint8_t {
    ok,
    more_needed,
    bad_protocol,
    bad_authentication,
    no_mechanism,
    needs_encryption,
    failed
};
std::string_view describe(code value);  // "authentication failure"

std::string encode_base64(std::string_view bytes);
struct decoded {
    code result = code::ok;  // more_needed: bytes are missing at the end
    std::string bytes;
};
decoded decode_base64(std::string_view text);

// `digest` is a name that OpenSSL knows: "MD5", "SHA256".
std::string keyed_digest(const char* digest, std::string_view key, std::string_view text);
std::string sha256(std::string_view text);
// PBKDF2 with HMAC-SHA-256, 32 bytes (RFC 5802's Hi).
std::string salted_password(std::string_view password, std::string_view salt, int iterations);
bool equal_in_constant_time(std::string_view a, std::string_view b);
std::string lower_hex(std::string_view bytes);

}  // namespace mta::sasl
