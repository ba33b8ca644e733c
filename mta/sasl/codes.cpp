#include "mta/sasl/codes.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>

namespace mta::sasl {
namespace {

constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

const unsigned char* bytes_of(std::string_view text) {
    return reinterpret_cast<const unsigned char*>(text.data());
}

}  // namespace

std::string_view describe(code value) {
    constexpr std::array<std::string_view, 7> texts = {
        "successful result",      "another step is needed in authentication",
        "bad protocol / cancel",  "authentication failure",
        "no mechanism available", "encryption needed to use mechanism",
        "generic failure"};
    return texts[static_cast<std::size_t>(value)];
}

std::string encode_base64(std::string_view bytes) {
    std::string out((bytes.size() + 2) / 3 * 4 + 1, '\0');
    const int length =
        EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()), bytes_of(bytes), static_cast<int>(bytes.size()));
    out.resize(static_cast<std::size_t>(length));
    return out;
}

decoded decode_base64(std::string_view text) {
    decoded out;
    bool ended = false;
    for (; text.size() > 3; text.remove_prefix(4)) {
        std::uint32_t bits = 0;
        std::size_t padding = 0;
        for (std::size_t i = 0; i < 4; ++i) {
            const std::size_t value = alphabet.find(text[i]);
            const bool pads = text[i] == '=' && i >= 2;
            if (ended || (value == std::string_view::npos && !pads) || (padding > 0 && !pads)) {
                out.result = code::bad_protocol;
                return out;
            }
            if (pads) ++padding;
            bits = bits << 6 | static_cast<std::uint32_t>(pads ? 0 : value);
        }
        for (std::size_t i = 0; i < 3 - padding; ++i) out.bytes += static_cast<char>(bits >> (16 - 8 * i) & 0xff);
        ended = padding > 0;
    }
    if (!text.empty()) out.result = ended ? code::bad_protocol : code::more_needed;
    return out;
}

std::string keyed_digest(const char* digest, std::string_view key, std::string_view text) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> out{};
    unsigned length = 0;
    const EVP_MD* method = EVP_get_digestbyname(digest);
    if (!method ||
        !HMAC(method, key.data(), static_cast<int>(key.size()), bytes_of(text), text.size(), out.data(), &length))
        return {};
    return {reinterpret_cast<const char*>(out.data()), length};
}

std::string sha256(std::string_view text) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> out{};
    unsigned length = 0;
    if (!EVP_Digest(text.data(), text.size(), out.data(), &length, EVP_sha256(), nullptr)) return {};
    return {reinterpret_cast<const char*>(out.data()), length};
}

std::string salted_password(std::string_view password, std::string_view salt, int iterations) {
    std::string out(32, '\0');
    PKCS5_PBKDF2_HMAC(password.data(), static_cast<int>(password.size()), bytes_of(salt), static_cast<int>(salt.size()),
                      iterations, EVP_sha256(), static_cast<int>(out.size()),
                      reinterpret_cast<unsigned char*>(out.data()));
    return out;
}

bool equal_in_constant_time(std::string_view a, std::string_view b) {
    return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

std::string lower_hex(std::string_view bytes) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string out;
    for (const char c : bytes) {
        const auto byte = static_cast<unsigned char>(c);
        out += digits[byte >> 4];
        out += digits[byte & 15];
    }
    return out;
}

}  // namespace mta::sasl
