#define OPENSSL_SUPPRESS_DEPRECATED  // RAND_METHOD: why not a provider is told in docs/decisions/tls.md
#include "mta/tls/random_scope.hpp"

#include <openssl/rand.h>

#include <bit>
#include <cstddef>
#include <mutex>
#include <stdexcept>

namespace mta::tls {
namespace {

// The one piece of state outside an instance: OpenSSL passes nothing to its random method that could name the world.
// A world runs on one thread at a time, and a scope never outlives the call that opened it.
thread_local random_source* current = nullptr;

int fill(unsigned char* into, int size) {
    if (!current) return RAND_OpenSSL()->bytes(into, size);
    for (std::size_t left = size > 0 ? static_cast<std::size_t>(size) : 0; left != 0;) {
        // Low byte first, so that the bytes do not depend on the machine.
        std::uint64_t word = current->next();
        for (int i = 0; i < 8 && left != 0; ++i, --left, word >>= 8) *into++ = static_cast<unsigned char>(word);
    }
    return 1;
}

// Inside a scope nothing may stir the numbers; outside it the system's generator takes what it is given.
int seed(const void* bytes, int size) {
    return current ? 1 : RAND_OpenSSL()->seed(bytes, size);
}
int add(const void* bytes, int size, double entropy) {
    return current ? 1 : RAND_OpenSSL()->add(bytes, size, entropy);
}
int status() {
    return current ? 1 : RAND_OpenSSL()->status();
}

void install() {
    static const RAND_METHOD method = {seed, fill, nullptr, add, fill, status};
    static std::once_flag once;
    std::call_once(once, [] {
        if (RAND_set_rand_method(&method) != 1) throw std::runtime_error("OpenSSL takes no random method");
    });
}

}  // namespace

random_scope::random_scope(random_source& source) : outer_(current) {
    install();
    current = &source;
}

random_scope::~random_scope() {
    current = outer_;
}

own_random::own_random(random_source& seeds) {
    for (auto& word : state_) word = seeds.next();
    for (int i = 0; i < 12; ++i) next();
}

std::uint64_t own_random::next() {
    auto& [a, b, c, counter] = state_;
    const std::uint64_t result = a + b + counter++;
    a = b ^ (b >> 11);
    b = c + (c << 3);
    c = std::rotl(c, 24) + result;
    return result;
}

}  // namespace mta::tls
