#include "tests/mta/tls/certificates.hpp"

#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include <stdexcept>

#include "mta/text/strings.hpp"
#include "mta/tls/native.hpp"
#include "mta/tls/random_scope.hpp"

namespace mta::tls::test {
namespace {

owned<EVP_PKEY> make_key(const std::string& algorithm) {
    if (algorithm == "EC") return owned<EVP_PKEY>(EVP_EC_gen("P-256"));
    if (algorithm == "RSA") return owned<EVP_PKEY>(EVP_RSA_gen(2048));
    return owned<EVP_PKEY>(EVP_PKEY_Q_keygen(nullptr, nullptr, algorithm.c_str()));
}

std::string text_of(const owned<BIO>& memory) {
    const char* data = nullptr;
    const long size = BIO_get_mem_data(memory.get(), &data);
    return std::string(data, static_cast<std::size_t>(size));
}

owned<BIO> reader(const std::string& text) {
    return owned<BIO>(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

void add(X509* made, int id, const std::string& text) {
    if (text.empty()) return;
    X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, nullptr, id, text.c_str());
    if (!extension) throw std::runtime_error("bad extension " + text);
    X509_add_ext(made, extension, -1);
    X509_EXTENSION_free(extension);
}

}  // namespace

pem make(const wanted& what) {
    // Each kind of certificate is the same whichever test asks first.
    std::uint64_t seed = 0xcbf29ce484222325;
    for (const char c : what.subject + what.purpose + what.algorithm + (what.issuer ? what.issuer->certificate : ""))
        seed = (seed ^ static_cast<unsigned char>(c)) * 0x100000001b3;
    tests::seeded_random random(seed + static_cast<std::uint64_t>(what.from.time_since_epoch().count()));
    const random_scope scope(random);
    const auto key = make_key(what.algorithm);
    const owned<X509> made(X509_new());
    X509_set_version(made.get(), X509_VERSION_3);
    ASN1_INTEGER_set_uint64(X509_get_serialNumber(made.get()), random.next() >> 1);
    const auto from = std::chrono::floor<std::chrono::seconds>(what.from).time_since_epoch().count();
    ASN1_TIME_set(X509_getm_notBefore(made.get()), from);
    ASN1_TIME_set(X509_getm_notAfter(made.get()), from + std::chrono::seconds(what.valid).count());
    X509_NAME* subject = X509_get_subject_name(made.get());
    for (const auto part : text::split(what.subject, ",")) {
        const std::string kind(part.substr(0, part.find('='))), value(part.substr(part.find('=') + 1));
        X509_NAME_add_entry_by_txt(subject, kind.c_str(), MBSTRING_UTF8,
                                   reinterpret_cast<const unsigned char*>(value.data()), static_cast<int>(value.size()),
                                   -1, 0);
    }
    X509_set_pubkey(made.get(), key.get());
    if (what.authority)
        add(made.get(), NID_basic_constraints, "critical,CA:TRUE");
    else
        add(made.get(), NID_subject_alt_name, what.alternative);
    add(made.get(), NID_ext_key_usage, what.purpose);

    owned<X509> issuer;
    owned<EVP_PKEY> issuer_key;
    if (what.issuer) {
        issuer.reset(PEM_read_bio_X509(reader(what.issuer->certificate).get(), nullptr, nullptr, nullptr));
        issuer_key.reset(PEM_read_bio_PrivateKey(reader(what.issuer->key).get(), nullptr, nullptr, nullptr));
    }
    X509_set_issuer_name(made.get(), issuer ? X509_get_subject_name(issuer.get()) : subject);
    EVP_PKEY* signer = issuer_key ? issuer_key.get() : key.get();
    const EVP_MD* digest = EVP_PKEY_get_base_id(signer) == EVP_PKEY_ED25519 ? nullptr : EVP_sha256();
    if (X509_sign(made.get(), signer, digest) <= 0) throw std::runtime_error("no certificate");

    pem result;
    const owned<BIO> key_text(BIO_new(BIO_s_mem())), certificate_text(BIO_new(BIO_s_mem()));
    PEM_write_bio_PrivateKey(key_text.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr);
    PEM_write_bio_X509(certificate_text.get(), made.get());
    result.key = text_of(key_text);
    result.certificate = text_of(certificate_text);
    return result;
}

const lab& usual() {
    static const lab made = [] {
        lab fresh;
        wanted what;
        what.subject = "CN=lab CA", what.authority = true;
        fresh.authority = make(what);
        what = {}, what.issuer = &fresh.authority;
        fresh.host = make(what);
        what.subject = "CN=client.ohio.cc", what.alternative = "DNS:client.ohio.cc";
        fresh.client = make(what);
        fresh.self_signed = make({});
        what = {}, what.subject = "O=Other,CN=other CA", what.authority = true;
        fresh.stranger_authority = make(what);
        what = {}, what.issuer = &fresh.stranger_authority;
        fresh.stranger = make(what);
        return fresh;
    }();
    return made;
}

context_settings server_settings(const pem& identity) {
    context_settings settings;
    settings.side = side::server;
    settings.identities.push_back(identity.identity());
    settings.authorities_name = "ca.pem";
    settings.authorities_pem = usual().authority.certificate;
    return settings;
}

context_settings client_settings() {
    context_settings settings;
    settings.side = side::client;
    settings.authorities_name = "ca.pem";
    settings.authorities_pem = usual().authority.certificate;
    return settings;
}

}  // namespace mta::tls::test
