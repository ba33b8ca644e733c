// One seed, one ciphertext: in any order, beside any other world, on any thread.
#include <gtest/gtest.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <openssl/sha.h>

#include <array>
#include <map>
#include <thread>

#include "mta/tls/random_scope.hpp"
#include "tests/mta/tls/session.hpp"

namespace mta::tls::test {
namespace {

task<void> talk(byte_stream& stream, scheduler& clock, bool speaks_first, std::string& heard) {
    std::string buffer(500, '\0');
    for (int round = 0; round < 6; ++round) {
        if (speaks_first || round != 0) {
            const std::string line =
                "line " + std::to_string(round) + std::string(static_cast<std::size_t>(round) * 100, 'x') + "\r\n";
            const io_error sent = co_await write_all(stream, clock, line, std::chrono::minutes(1));
            if (sent != io_error::none) co_return;
        }
        const io_result got = co_await read_some(stream, buffer, never);
        if (!got.ok()) co_return;
        heard.append(buffer, 0, got.bytes);
    }
    stream.shut_down_write();
}

// A whole connection that can be driven a turn at a time.
class world {
  public:
    world(std::uint64_t seed, const std::string& algorithm, const std::string& protocols) : both_(seed) {
        auto client = client_settings();
        client.protocols = protocols;
        client.identities.push_back(usual().client.identity());
        auto server = server_settings(of(algorithm));
        server.client_certificates = peer_certificate::asked;
        both_.start(client, server);
    }
    bool turn() {
        if (both_.client_done && both_.server_done && !std::exchange(talking_, true)) {
            both_.work.start(talk(*both_.at_client.stream, both_.clock, true, heard_by_client_));
            both_.work.start(talk(*both_.at_server.stream, both_.clock, false, heard_by_server_));
            return true;
        }
        return both_.clock.turn();
    }
    std::string transcript() {
        while (turn()) {
        }
        EXPECT_FALSE(heard_by_server_.empty());
        return both_.ends.to_server->transcript + "|" + both_.ends.to_client->transcript;
    }
    // Made before any thread starts: tests share them.
    static const pem& of(const std::string& algorithm) {
        static const std::map<std::string, pem> made = [] {
            std::map<std::string, pem> all;
            for (const auto* each : {"EC", "RSA", "ED25519"}) {
                wanted what;
                what.issuer = &usual().authority, what.algorithm = each;
                all[each] = make(what);
            }
            return all;
        }();
        return made.at(algorithm);
    }

  private:
    session both_;
    bool talking_ = false;
    std::string heard_by_client_, heard_by_server_;
};

struct kind {
    const char* algorithm;
    const char* protocols;
};
constexpr kind kinds[] = {{"EC", "TLSv1.3"}, {"RSA", "TLSv1.3"}, {"ED25519", "TLSv1.3"},
                          {"EC", "TLSv1.2"}, {"RSA", "TLSv1.2"}, {"EC", "TLSv1"}};

TEST(tls_determinism, a_seed_gives_the_same_bytes_and_another_seed_others) {
    for (const auto& [algorithm, protocols] : kinds) {
        const auto first = world(7, algorithm, protocols).transcript();
        EXPECT_TRUE(first == world(7, algorithm, protocols).transcript()) << algorithm << protocols;
        EXPECT_FALSE(first == world(8, algorithm, protocols).transcript()) << algorithm << protocols;
    }
}

TEST(tls_determinism, interleaved_worlds_do_not_hear_each_other) {
    for (const auto& [algorithm, protocols] : kinds) {
        const auto one = world(7, algorithm, protocols).transcript(),
                   other = world(8, algorithm, protocols).transcript();
        world first(7, algorithm, protocols), second(8, algorithm, protocols);
        unsigned char noise[64];
        for (bool more = true; more;) {
            more = first.turn();
            RAND_bytes(noise, sizeof noise);  // somebody outside of all worlds
            more |= second.turn();
            more |= second.turn();
        }
        EXPECT_TRUE(first.transcript() == one) << algorithm << protocols;
        EXPECT_TRUE(second.transcript() == other) << algorithm << protocols;
    }
}

TEST(tls_determinism, holds_on_threads) {
    const auto expected = world(7, "EC", "TLSv1.3").transcript();
    world::of("EC");
    std::array<std::string, 4> seen;
    std::array<std::thread, 4> threads;
    for (std::size_t i = 0; i < threads.size(); ++i)
        threads[i] = std::thread([i, &seen] {
            for (int again = 0; again < 5; ++again) seen[i] = world(i % 2 ? 7 : 9, "EC", "TLSv1.3").transcript();
        });
    for (auto& each : threads) each.join();
    EXPECT_TRUE(seen[1] == expected);
    EXPECT_TRUE(seen[3] == expected);
    EXPECT_TRUE(seen[0] == seen[2]);
    EXPECT_FALSE(seen[0] == expected);
}

TEST(tls_determinism, a_connection_draws_four_numbers_whatever_it_does) {
    class counting final : public random_source {
      public:
        std::uint64_t next() override { return ++count; }
        std::uint64_t count = 0;
    };
    counting random;
    session both;
    both.from_client.random = &random;
    both.shake(client_settings(), server_settings(usual().host));
    EXPECT_TRUE(both.at_client.stream);
    EXPECT_EQ(random.count, 4u);
}

TEST(tls_random, is_the_innermost_scopes_and_the_systems_outside) {
    const auto draw = [] {
        std::string bytes(20, '\0');
        EXPECT_EQ(RAND_bytes(reinterpret_cast<unsigned char*>(bytes.data()), 20), 1);
        return bytes;
    };
    tests::seeded_random one(1), again(1), other(2);
    std::string first, inner, second;
    {
        const random_scope outer(one);
        first = draw();
        {
            const random_scope nested(other);
            inner = draw();
        }
        RAND_seed("entropy", 7);
        second = draw();
    }
    const random_scope same(again);
    EXPECT_EQ(draw(), first);
    EXPECT_EQ(draw(), second);
    EXPECT_NE(inner, first);
    std::string elsewhere, too;
    std::thread([&] { elsewhere = draw(), too = draw(); }).join();
    EXPECT_NE(elsewhere, too);
    EXPECT_NE(elsewhere, first);
}

std::string digest_of(const std::string& text) {
    std::array<unsigned char, SHA256_DIGEST_LENGTH> digest;
    SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data());
    std::string hex;
    for (const unsigned char byte : digest) hex += "0123456789abcdef"[byte >> 4], hex += "0123456789abcdef"[byte & 15];
    return hex;
}

// The same whatever the compiler: the values were taken from a GCC 12 build.
TEST(tls_determinism, is_the_same_in_every_build) {
    tests::seeded_random seeds(42);
    own_random random(seeds);
    EXPECT_EQ(random.next(), 11761865412902850287u);
#if defined(__x86_64__)
    if (OPENSSL_version_major() != 3 || OPENSSL_version_minor() != 0) GTEST_SKIP() << "the bytes are OpenSSL 3.0's";
    EXPECT_EQ(digest_of(world(7, "EC", "TLSv1.3").transcript()),
              "b345a9d0d30ca457ceda12c53bbd5b1847ea3436f0042701c3d09046d17a5f67");
#endif
}

}  // namespace
}  // namespace mta::tls::test
