#include "sim/network/authority.hpp"

#include <gtest/gtest.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <chrono>
#include <memory>

namespace sim::network {
namespace {

constexpr mta::time_point epoch = std::chrono::sys_days{std::chrono::year{2026} / 3 / 1};

struct parsed {
    explicit parsed(const std::string& pem) {
        BIO* text = BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()));
        certificate = PEM_read_bio_X509(text, nullptr, nullptr, nullptr);
        BIO_free(text);
    }
    ~parsed() { X509_free(certificate); }
    parsed(const parsed&) = delete;
    parsed& operator=(const parsed&) = delete;
    std::string subject() const { return line(X509_get_subject_name(certificate)); }
    std::string issuer() const { return line(X509_get_issuer_name(certificate)); }
    static std::string line(X509_NAME* name) {
        char text[300];
        return X509_NAME_oneline(name, text, sizeof text);
    }
    bool valid_at(mta::time_point when) const {
        auto seconds = std::chrono::floor<std::chrono::seconds>(when).time_since_epoch().count();
        const std::time_t at = seconds;
        return X509_cmp_time(X509_get0_notBefore(certificate), const_cast<std::time_t*>(&at)) < 0 &&
               X509_cmp_time(X509_get0_notAfter(certificate), const_cast<std::time_t*>(&at)) > 0;
    }
    X509* certificate = nullptr;
};

TEST(authority, signs_a_certificate_for_each_host) {
    authority lab(7, epoch);
    const auto& host = lab.certificate_of("mail.york.cc");
    const parsed own(lab.certificate_pem()), made(host.certificate_pem);
    ASSERT_TRUE(own.certificate && made.certificate);
    EXPECT_EQ(own.subject(), "/CN=lab CA");
    EXPECT_EQ(own.issuer(), "/CN=lab CA");
    EXPECT_EQ(made.subject(), "/CN=mail.york.cc");
    EXPECT_EQ(made.issuer(), "/CN=lab CA");
    EXPECT_EQ(X509_verify(made.certificate, X509_get0_pubkey(own.certificate)), 1);
    EXPECT_EQ(X509_check_ca(own.certificate), 1);
    EXPECT_EQ(X509_check_ca(made.certificate), 0);
    EXPECT_EQ(X509_check_host(made.certificate, "mail.york.cc", 0, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT, nullptr), 1);
    EXPECT_EQ(X509_check_host(made.certificate, "york.cc", 0, 0, nullptr), 0);
    EXPECT_FALSE(made.valid_at(epoch - std::chrono::seconds(1)));
    EXPECT_TRUE(made.valid_at(epoch + std::chrono::seconds(1)));
    EXPECT_TRUE(made.valid_at(epoch + std::chrono::days(30) - std::chrono::seconds(1)));
    EXPECT_FALSE(made.valid_at(epoch + std::chrono::days(30) + std::chrono::seconds(1)));
    EXPECT_TRUE(host.chain_file().starts_with("-----BEGIN PRIVATE KEY-----"));
    EXPECT_EQ(&lab.certificate_of("mail.york.cc"), &host);
}

TEST(authority, makes_self_signed_ones_too) {
    authority lab(7, epoch);
    const parsed made(lab.certificate_of("mail.york.cc", signed_by::itself).certificate_pem);
    EXPECT_EQ(made.issuer(), "/CN=mail.york.cc");
    EXPECT_EQ(X509_verify(made.certificate, X509_get0_pubkey(made.certificate)), 1);
    EXPECT_NE(lab.certificate_of("mail.york.cc").certificate_pem,
              lab.certificate_of("mail.york.cc", signed_by::itself).certificate_pem);
}

TEST(authority, follows_from_the_seed_and_the_name_alone) {
    authority one(7, epoch), other(7, epoch), stranger(8, epoch);
    const auto first = one.certificate_of("a.example").chain_file();
    other.certificate_of("b.example");
    EXPECT_EQ(other.certificate_of("a.example").chain_file(), first);
    EXPECT_EQ(other.certificate_pem(), one.certificate_pem());
    EXPECT_NE(stranger.certificate_of("a.example").chain_file(), first);
    EXPECT_NE(one.certificate_of("b.example").key_pem, one.certificate_of("a.example").key_pem);
}

TEST(authority, takes_any_name) {
    authority lab(7, epoch);
    const std::string name = std::string(60, 'a') + "." + std::string(60, 'b') + ".example";
    const parsed made(lab.certificate_of(name).certificate_pem);
    EXPECT_EQ(made.subject(), "");
    EXPECT_EQ(X509_check_host(made.certificate, name.c_str(), 0, 0, nullptr), 1);
    // Nothing in a name is read as anything but a name.
    const parsed odd(lab.certificate_of("a.example,DNS:b.example").certificate_pem);
    EXPECT_EQ(X509_check_host(odd.certificate, "b.example", 0, 0, nullptr), 0);
}

}  // namespace
}  // namespace sim::network
