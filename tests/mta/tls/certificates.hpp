// Certificates of every kind that the tests need, made on the spot.
#pragma once
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "mta/async/scheduler.hpp"
#include "mta/tls/context.hpp"
#include "tests/support/seeded_random.hpp"

namespace mta::tls::test {

inline constexpr time_point epoch = std::chrono::sys_days{std::chrono::year{2026} / 3 / 1};

struct pem {
    std::string key, certificate;
    key_and_chain identity() const {
        key_and_chain pair;
        pair.key_name = pair.certificates_name = "host.pem";
        pair.key_pem = key, pair.certificates_pem = certificate;
        pair.position = 1;
        return pair;
    }
};

struct wanted {
    std::string subject = "CN=mail.york.cc";  // "O=Other,CN=other CA"
    std::string alternative = "DNS:mail.york.cc";
    std::string purpose;           // extendedKeyUsage
    std::string algorithm = "EC";  // EC, RSA, ED25519
    bool authority = false;
    time_point from = epoch;
    std::chrono::days valid{30};
    const pem* issuer = nullptr;  // null: itself
    wanted() = default;
};

pem make(const wanted& what);

// A lab's usual set, made once for all tests.
struct lab {
    pem authority, host, client, self_signed, stranger_authority, stranger;
};
const lab& usual();

context_settings server_settings(const pem& identity);
context_settings client_settings();

}  // namespace mta::tls::test
