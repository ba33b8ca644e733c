#include "mta/sasl/scram.hpp"

#include "mta/random.hpp"
#include "mta/text/strings.hpp"

namespace mta::sasl {
namespace {

constexpr int iterations = 4096;

// The value of `letter=...`; nothing when the part is another one.
std::optional<std::string_view> value_of(std::string_view part, char letter) {
    if (part.size() < 2 || part[0] != letter || part[1] != '=') return std::nullopt;
    return part.substr(2);
}

std::string random_bytes(random_source& random, std::size_t count) {
    std::string out;
    while (out.size() < count) {
        std::uint64_t number = random.next();
        for (int i = 0; i < 8 && out.size() < count; ++i, number >>= 8) out += static_cast<char>(number & 0xff);
    }
    return out;
}

std::string exclusive_or(std::string_view a, std::string_view b) {
    std::string out(a);
    for (std::size_t i = 0; i < out.size() && i < b.size(); ++i) out[i] = static_cast<char>(out[i] ^ b[i]);
    return out;
}

}  // namespace

answer scram_exchange::next(const std::optional<std::string>& message) {
    if (!message) return ask("");
    switch (stage_) {
        case stage::first:
            return first(*message);
        case stage::proof:
            return final_message(*message);
        case stage::done:
            break;
    }
    answer done;
    done.what = answer::kind::success;
    return done;
}

// "n,,n=user,r=nonce"
answer scram_exchange::first(std::string_view message) {
    const std::size_t flag_end = message.find(',');
    const std::size_t header_end = flag_end == std::string_view::npos ? flag_end : message.find(',', flag_end + 1);
    if (header_end == std::string_view::npos || (message[0] != 'n' && message[0] != 'y')) {
        return fail(code::bad_protocol, "Invalid SCRAM-SHA-256 input expected gs2-cbind-flag");
    }
    header_ = message.substr(0, header_end + 1);
    client_first_ = message.substr(header_end + 1);
    const auto parts = text::split(client_first_, ",");
    const auto name = parts.empty() ? std::nullopt : value_of(parts[0], 'n');
    const auto nonce = parts.size() < 2 ? std::nullopt : value_of(parts[1], 'r');
    if (!name) return fail(code::bad_protocol, "Invalid SCRAM-SHA-256 input expected n=");
    if (!nonce) return fail(code::bad_protocol, "Invalid SCRAM-SHA-256 input expected r=");
    const std::string plain = text::replaced(text::replaced(*name, "=2C", ","), "=3D", "=");
    const auto password = look_up(plain);
    if (!password) return fail(code::bad_authentication, "unable to canonify user and get auxprops");
    const std::string own_nonce = encode_base64(random_bytes(*where_.random, 24));
    const std::string salt = random_bytes(*where_.random, 32);
    nonce_ = std::string(*nonce) + own_nonce;
    salted_ = salted_password(*password, salt, iterations, "SHA256");
    server_first_ = "r=" + nonce_ + ",s=" + encode_base64(salt) + ",i=" + std::to_string(iterations);
    stage_ = stage::proof;
    return ask(server_first_);
}

// "c=header,r=nonce,p=proof"
answer scram_exchange::final_message(std::string_view message) {
    const auto parts = text::split(message, ",");
    const auto binding = parts.empty() ? std::nullopt : value_of(parts.front(), 'c');
    const auto nonce = parts.size() < 2 ? std::nullopt : value_of(parts[1], 'r');
    const auto proof = parts.size() < 3 ? std::nullopt : value_of(parts.back(), 'p');
    if (!binding || !nonce) return fail(code::bad_protocol, "Invalid SCRAM-SHA-256 input");
    if (*nonce != nonce_) return fail(code::bad_protocol, "Nonce mismatch SCRAM-SHA-256 input");
    if (!proof) return fail(code::bad_protocol, "Invalid SCRAM-SHA-256 input expected p=");
    if (*binding != encode_base64(header_)) return fail(code::bad_protocol, "Channel bindings prefix doesn't match");
    const decoded sent = decode_base64(*proof);
    const std::string client_key = keyed_digest("SHA256", salted_, "Client Key");
    const std::string server_key = keyed_digest("SHA256", salted_, "Server Key");
    const std::string_view without_proof = message.substr(0, message.rfind(",p="));
    const std::string all = client_first_ + "," + server_first_ + "," + std::string(without_proof);
    const std::string stored_key = plain_digest("SHA256", client_key);
    const std::string expected = exclusive_or(client_key, keyed_digest("SHA256", stored_key, all));
    if (sent.result != code::ok || !equal_in_constant_time(sent.bytes, expected)) {
        return fail(code::bad_authentication, "StoredKey mismatch");
    }
    // The client answers the server's signature with an empty line.
    stage_ = stage::done;
    return ask("v=" + encode_base64(keyed_digest("SHA256", server_key, all)));
}

}  // namespace mta::sasl
