// What makes a context and what Postfix says when it does not; the texts were taken from its own log.
#include "mta/tls/context.hpp"

#include <gtest/gtest.h>
#include <openssl/ssl.h>

#include "tests/mta/tls/session.hpp"

namespace mta::tls::test {
namespace {

TEST(tls_protocols, are_bounds_exclusions_and_inclusions) {
    protocol_range range;
    EXPECT_TRUE(parse_protocols(">=TLSv1.1, <=0x0303", range));
    EXPECT_EQ(range.lowest, 0x0302);
    EXPECT_EQ(range.highest, 0x0303);
    EXPECT_EQ(range.excluded, 0u);
    EXPECT_TRUE(parse_protocols("!SSLv2 !sslv3,!TLSv1.2", range));
    EXPECT_EQ(range.excluded, SSL_OP_NO_SSLv3 | SSL_OP_NO_TLSv1_2);
    EXPECT_EQ(range.lowest, 0);
    EXPECT_TRUE(parse_protocols("TLSv1.2:TLSv1.3", range));
    EXPECT_EQ(range.excluded, SSL_OP_NO_SSLv3 | SSL_OP_NO_TLSv1 | SSL_OP_NO_TLSv1_1);
    EXPECT_TRUE(parse_protocols("", range));
    EXPECT_EQ(range.excluded, 0u);
    for (const auto* wrong :
         {"bogus", "!", "!bogus", ">=", ">=bogus", "<=TLSv9", ">=0x", "0x0303", "TLSv1.2,!", ">=0x12345"})
        EXPECT_FALSE(parse_protocols(wrong, range)) << wrong;
}

std::string problems_of(const context_settings& settings) {
    std::vector<log_line> problems;
    const auto made = context::make(settings, problems);
    return (made ? "made\n" : "") + logged(problems);
}

TEST(tls_context, says_what_postfix_says_when_it_starts) {
    const auto good = server_settings(usual().host);
    EXPECT_EQ(problems_of(good), "made\n");

    auto wrong = good;
    wrong.protocols = ">=bogus";
    EXPECT_EQ(problems_of(wrong), "warning: Invalid TLS protocol list \">=bogus\": disabling TLS support\n");
    wrong = good;
    wrong.fingerprint_digest = "bogus";
    EXPECT_EQ(problems_of(wrong), "warning: Digest algorithm \"bogus\" not found\nwarning: disabling TLS support\n");
    wrong = good;
    wrong.eecdh_curves = "bogus";
    EXPECT_EQ(problems_of(wrong),
              "made\nwarning: ignoring unknown ECDHE curve \"bogus\"\n"
              "warning: ignoring unknown ECDHE curve \"bogus\"\n");
    wrong = good;
    wrong.authorities_pem.clear();
    EXPECT_TRUE(problems_of(wrong).starts_with(
        "cannot load Certification Authority data, CAfile=\"ca.pem\": disabling TLS support\n"
        "warning: TLS library problem: error:80000002:system library::No such file or directory:"))
        << problems_of(wrong);
    wrong.authorities_pem = "hello\n";
    EXPECT_EQ(problems_of(wrong),
              "cannot load Certification Authority data, CAfile=\"ca.pem\": disabling TLS support\n"
              "warning: TLS library problem: error:05800088:x509 certificate routines::no "
              "certificate or crl found:../crypto/x509/by_file.c:252:\n");
}

std::string chain_problems(const std::string& text) {
    context_settings settings;
    settings.identities = split_chain_file("f.pem", text);
    return problems_of(settings);
}

TEST(tls_context, says_what_postfix_says_of_chain_files) {
    const auto& host = usual().host;
    const std::string end = "warning: error loading private keys and certificates from: f.pem: disabling TLS support\n";
    EXPECT_EQ(chain_problems(host.key + host.certificate + usual().authority.certificate), "made\n");
    EXPECT_EQ(chain_problems(host.key + host.certificate + usual().client.key + usual().client.certificate), "made\n");
    EXPECT_EQ(chain_problems("hello\n"), "warning: No PEM data in f.pem\n" + end);
    EXPECT_EQ(chain_problems(host.certificate), "warning: error loading chain from f.pem: key not first\n" + end);
    const std::string damaged = "-----BEGIN PRIVATE KEY-----\nMIGHAgEAMBMG\n-----END PRIVATE KEY-----\n";
    const auto text = chain_problems(damaged + host.certificate);
    EXPECT_TRUE(
        text.starts_with("warning: error loading private key (PEM object number 1) from f.pem\n"
                         "warning: TLS library problem: error:"))
        << text;
    EXPECT_TRUE(text.ends_with(end));
    const auto mixed = chain_problems(host.key + usual().client.certificate);
    EXPECT_TRUE(
        mixed.starts_with("warning: key at index 1 in f.pem does not match next certificate\n"
                          "warning: TLS library problem: error:"))
        << mixed;
    EXPECT_TRUE(mixed.ends_with(end));
}

TEST(tls_context, says_what_postfix_says_of_pairs_of_files) {
    wanted what;
    what.algorithm = "RSA";
    const auto rsa = make(what);
    context_settings settings;
    auto& pair = settings.identities.emplace_back();
    pair.key_name = "key.pem", pair.certificates_name = "cert.pem";
    pair.key_pem = rsa.key, pair.certificates_pem = usual().host.certificate;
    EXPECT_EQ(problems_of(settings),
              "warning: RSA private key in key.pem does not match public key in cert.pem: "
              "disabling TLS support\n");
    pair.kind = "ECDSA";
    pair.key_pem = usual().client.key;
    EXPECT_TRUE(problems_of(settings).starts_with(
        "warning: cannot get ECDSA private key from file \"key.pem\": disabling TLS support\n"
        "warning: TLS library problem: error:05800074:x509 certificate routines::key values mismatch:"))
        << problems_of(settings);
}

TEST(tls_context, refuses_sessions_where_postfix_does) {
    const auto good = server_settings(usual().host);
    session protocols;
    auto client = client_settings();
    client.protocols = "bogus";
    protocols.shake(client, good);
    EXPECT_FALSE(protocols.at_client.stream);
    EXPECT_EQ(logged(protocols.at_client.log),
              std::string("warning: ") + server_name + ": Invalid TLS protocol list \"bogus\": aborting TLS session\n");
    EXPECT_EQ(logged(protocols.at_server.log),
              std::string("SSL_accept error from ") + client_name + ": lost connection\n");

    session grade;
    client = client_settings();
    client.cipher_grade = "bogus";
    grade.shake(client, good);
    EXPECT_EQ(logged(grade.at_client.log),
              std::string("warning: ") + server_name + ": invalid cipher grade: \"bogus\"\n");

    session ciphers;
    client = client_settings();
    client.exclude_ciphers = "ALL";
    ciphers.shake(client, good);
    const auto text = logged(ciphers.at_client.log);
    EXPECT_TRUE(text.starts_with(std::string("warning: ") + server_name +
                                 ": error setting cipher grade: \"medium\"\nwarning: TLS library problem: "
                                 "error:0A0000B9:SSL routines::no cipher match:"))
        << text;
}

TEST(tls_context, without_a_certificate_serves_only_those_who_need_none) {
    context_settings bare;
    session both;
    both.from_client.level = security_level::verify;
    both.shake(client_settings(), bare);
    EXPECT_FALSE(both.at_server.stream);
    EXPECT_NE(logged(both.at_server.log).find("error:0A0000C1:SSL routines::no shared cipher:"), std::string::npos);
}

TEST(tls_context, equal_ones_are_shared) {
    context_cache cache;
    std::vector<log_line> problems;
    const auto one = cache.find_or_make(server_settings(usual().host), problems);
    EXPECT_EQ(cache.find_or_make(server_settings(usual().host), problems), one);
    EXPECT_EQ(cache.size(), 1u);
    auto other = server_settings(usual().host);
    other.cipher_grade = "high";
    EXPECT_NE(cache.find_or_make(other, problems), one);
    EXPECT_TRUE(problems.empty());
    // What is wrong is said each time.
    other.protocols = "bogus";
    EXPECT_EQ(cache.find_or_make(other, problems), nullptr);
    EXPECT_EQ(cache.find_or_make(other, problems), nullptr);
    EXPECT_EQ(problems.size(), 2u);
}

}  // namespace
}  // namespace mta::tls::test
