#include "mta/sasl/client_scram.hpp"

#include "mta/random.hpp"
#include "mta/text/strings.hpp"

namespace mta::sasl {
namespace {

constexpr std::size_t nonce_bytes = 32;
constexpr std::int64_t iterations_limit = 100'000;  // the work that a hostile server can cause

// The value of `letter=...`; nothing when the part is another one.
std::optional<std::string_view> value_of(std::string_view part, char letter) {
    if (part.size() < 2 || part[0] != letter || part[1] != '=') return std::nullopt;
    return part.substr(2);
}

std::string exclusive_or(std::string_view a, std::string_view b) {
    std::string out(a);
    for (std::size_t i = 0; i < out.size() && i < b.size(); ++i) out[i] = static_cast<char>(out[i] ^ b[i]);
    return out;
}

std::string escaped(std::string_view user) {
    const std::string without_equals = text::replaced(user, "=", "=3D");
    return text::replaced(without_equals, ",", "=2C");
}

}  // namespace

std::string scram_client::initial() {
    std::string bytes;
    for (std::uint64_t number = 0; bytes.size() < nonce_bytes; number >>= 8) {
        if (bytes.size() % 8 == 0) number = who_.random->next();
        bytes += static_cast<char>(number & 0xff);
    }
    nonce_ = encode_base64(bytes);
    first_ = "n=" + escaped(who_.user) + ",r=" + nonce_;
    return "n,," + first_;
}

response scram_client::answer(std::string_view challenge) {
    return server_signature_.empty() ? prove(challenge) : check_server(challenge);
}

// "r=nonce,s=salt,i=iterations" is answered with "c=biws,r=nonce,p=proof".
response scram_client::prove(std::string_view challenge) {
    const std::string input = std::string(mechanism()) + " input", failure = "SASL authentication failure: ";
    if (challenge.empty()) return fail(code::bad_protocol, failure + input + " expected");
    const auto parts = text::split(challenge, ",");
    const auto nonce = parts.empty() ? std::nullopt : value_of(parts[0], 'r');
    const auto salt = parts.size() < 2 ? std::nullopt : value_of(parts[1], 's');
    const auto count = parts.size() < 3 ? std::nullopt : value_of(parts[2], 'i');
    if (!nonce) return fail(code::bad_protocol, failure + "Nonce expected in " + input);
    if (!salt) return fail(code::bad_protocol, failure + "Salt expected after the nonce in " + input);
    if (!count) return fail(code::bad_protocol, failure + "Iteration count expected after the salt in " + input);
    const auto iterations = text::to_number(*count);
    const decoded seasoning = decode_base64(*salt);
    const bool sound = iterations && *iterations > 0 && *iterations <= iterations_limit && seasoning.result == code::ok;
    if (!nonce->starts_with(nonce_) || !sound) return fail(code::bad_protocol, failure + "Invalid " + input);
    const std::string salted =
        salted_password(who_.password, seasoning.bytes, static_cast<int>(*iterations), kind_.digest);
    const std::string client_key = keyed_digest(kind_.digest, salted, "Client Key");
    const std::string server_key = keyed_digest(kind_.digest, salted, "Server Key");
    const std::string without_proof = "c=biws,r=" + std::string(*nonce);
    const std::string all = first_ + "," + std::string(challenge) + "," + without_proof;
    const std::string proof =
        exclusive_or(client_key, keyed_digest(kind_.digest, plain_digest(kind_.digest, client_key), all));
    server_signature_ = encode_base64(keyed_digest(kind_.digest, server_key, all));
    return say(without_proof + ",p=" + encode_base64(proof));
}

response scram_client::check_server(std::string_view challenge) {
    const auto parts = text::split(challenge, ",");
    const auto signature = parts.empty() ? std::nullopt : value_of(parts[0], 'v');
    if (!signature || !equal_in_constant_time(*signature, server_signature_)) {
        return fail(code::bad_server, "SASL authentication failure: ServerSignature mismatch");
    }
    done_ = true;
    return say({});
}

}  // namespace mta::sasl
