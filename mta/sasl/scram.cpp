#include "mta/sasl/scram.hpp"

#include <algorithm>

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

// "n,,n=user,r=nonce": whether the client binds the channel, whom it acts as, then what the proof is about. What is
// wrong is in the answer's warning; nothing when it is well-formed.
std::optional<std::string> scram_exchange::read_first(std::string_view message, std::string& name) {
    constexpr std::size_t shortest = 10;
    if (message.empty()) return "SCRAM-SHA-256 input expected";
    if (message.size() < shortest) return "Invalid SCRAM-SHA-256 input";
    std::string_view rest = message;
    if (rest[0] != 'n' && rest[0] != 'y' && rest[0] != 'p') {
        return "The initial SCRAM-SHA-256 client response needs to start with 'y', 'n' or 'p'";
    }
    rest.remove_prefix(rest[0] == 'p' ? std::min(rest.find(','), rest.size()) : 1);
    const auto skip_comma = [&rest] {
        const bool there = rest.starts_with(',');
        rest.remove_prefix(there ? 1 : 0);
        return there;
    };
    if (!skip_comma()) return "',' expected in SCRAM-SHA-256 input";
    if (value_of(rest, 'a')) rest.remove_prefix(std::min(rest.find(','), rest.size()));
    if (!skip_comma()) return "',' expected in SCRAM-SHA-256 input";
    header_ = message.substr(0, message.size() - rest.size());
    client_first_ = rest;
    const auto parts = text::split(rest, ",");
    const std::string_view first_part = parts.empty() ? std::string_view() : parts[0];
    if (value_of(first_part, 'm')) return "Unsupported mandatory extension to SCRAM-SHA-256";
    const auto coded = value_of(first_part, 'n');
    if (!coded) return "Username (n=) expected in SCRAM-SHA-256 input";
    const std::string without_commas = text::replaced(*coded, "=2C", ",");
    if (text::replaced(without_commas, "=3D", "").find('=') != std::string::npos) {
        return "Invalid username encoding in SCRAM-SHA-256 input";
    }
    name = text::replaced(without_commas, "=3D", "=");
    const auto nonce = parts.size() < 2 ? std::nullopt : value_of(parts[1], 'r');
    if (!nonce) return "Nonce (r=) expected in SCRAM-SHA-256 input";
    nonce_ = *nonce;
    return std::nullopt;
}

answer scram_exchange::first(std::string_view message) {
    std::string name;
    const auto wrong = read_first(message, name);
    if (wrong) return fail(code::bad_protocol, *wrong);
    constexpr const char* unknown = "unable to canonify user and get auxprops";
    if (is_blank(name)) {
        answer nobody = fail(code::failed, no_name);
        const answer also = fail(code::failed, unknown);
        nobody.warnings.insert(nobody.warnings.end(), also.warnings.begin(), also.warnings.end());
        return nobody;
    }
    const auto password = look_up(name);
    if (!password) return fail(code::bad_authentication, unknown);
    const std::string own_nonce = encode_base64(random_bytes(*where_.random, 24));
    const std::string salt = random_bytes(*where_.random, 32);
    nonce_ += own_nonce;
    salted_ = salted_password(*password, salt, iterations);
    server_first_ = "r=" + nonce_ + ",s=" + encode_base64(salt) + ",i=" + std::to_string(iterations);
    stage_ = stage::proof;
    return ask(server_first_);
}

// "c=header,r=nonce,p=proof"
answer scram_exchange::final_message(std::string_view message) {
    if (message.empty()) return fail(code::bad_protocol, "SCRAM-SHA-256 input expected");
    if (message.size() < 3 || message[1] != '=') return fail(code::bad_protocol, "Invalid SCRAM-SHA-256 input");
    const auto parts = text::split(message, ",");
    const auto binding = value_of(message.substr(0, message.find(',')), 'c');
    if (!binding) return fail(code::bad_protocol, "Channel binding expected in SCRAM-SHA-256 input");
    if (parts.size() < 2) return fail(code::bad_protocol, "At least nonce is expected in SCRAM-SHA-256 input");
    if (*binding != encode_base64(header_)) {
        return fail(code::bad_protocol,
                    "Channel bindings prefix doesn't match the one received in the GS2 header of SCRAM-SHA-256. "
                    "Expected \"" +
                        header_ + "\"");
    }
    const auto nonce = value_of(parts[1], 'r');
    if (!nonce) return fail(code::bad_protocol, "Nonce expected in SCRAM-SHA-256 input");
    if (*nonce != nonce_) return fail(code::bad_protocol, "Nonce mismatch SCRAM-SHA-256 input");
    const auto proof = parts.size() < 3 ? std::nullopt : value_of(parts.back(), 'p');
    if (!proof) return fail(code::bad_protocol, "Invalid SCRAM-SHA-256 input expected p=");
    const decoded sent = decode_base64(*proof);
    const std::string client_key = keyed_digest("SHA256", salted_, "Client Key");
    const std::string server_key = keyed_digest("SHA256", salted_, "Server Key");
    const std::string_view without_proof = message.substr(0, message.rfind(",p="));
    const std::string all = client_first_ + "," + server_first_ + "," + std::string(without_proof);
    const std::string stored_key = sha256(client_key);
    const std::string expected = exclusive_or(client_key, keyed_digest("SHA256", stored_key, all));
    if (sent.result != code::ok || !equal_in_constant_time(sent.bytes, expected)) {
        return fail(code::bad_authentication, "StoredKey mismatch");
    }
    // The client answers the server's signature with an empty line.
    stage_ = stage::done;
    return ask("v=" + encode_base64(keyed_digest("SHA256", server_key, all)));
}

}  // namespace mta::sasl
