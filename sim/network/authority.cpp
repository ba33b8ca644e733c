#include "sim/network/authority.hpp"

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <chrono>
#include <stdexcept>

#include "mta/tls/random_scope.hpp"
#include "sim/world/random.hpp"

namespace sim::network {
namespace {

constexpr std::chrono::days validity{30};
constexpr std::size_t longest_common_name = 64;  // ub-common-name of RFC 5280

struct deleter {
    void operator()(ASN1_INTEGER* p) const { ASN1_INTEGER_free(p); }
    void operator()(BIGNUM* p) const { BN_free(p); }
    void operator()(BIO* p) const { BIO_free_all(p); }
    void operator()(EVP_PKEY* p) const { EVP_PKEY_free(p); }
    void operator()(GENERAL_NAMES* p) const { GENERAL_NAMES_free(p); }
    void operator()(X509* p) const { X509_free(p); }
    void operator()(X509_EXTENSION* p) const { X509_EXTENSION_free(p); }
};
template <class T>
using owned = std::unique_ptr<T, deleter>;

void check(bool good) {
    if (good) return;
    ERR_clear_error();
    throw std::runtime_error("OpenSSL could not make a certificate");
}

template <class T>
owned<T> checked(T* made) {
    check(made != nullptr);
    return owned<T>(made);
}

struct request {
    std::string_view common_name;
    bool is_authority = false;
    mta::time_point valid_from;
    EVP_PKEY* key = nullptr;
    const X509* issuer = nullptr;  // null: itself
    EVP_PKEY* issuer_key = nullptr;
    request() = default;
};

void set_serial(X509& made, mta::random_source& random) {
    unsigned char bytes[16];
    for (int half = 0; half < 2; ++half) {
        std::uint64_t word = random.next();
        for (int i = 0; i < 8; ++i, word >>= 8) bytes[half * 8 + i] = static_cast<unsigned char>(word);
    }
    bytes[0] = static_cast<unsigned char>((bytes[0] & 0x3f) | 0x40);  // positive, and always as long
    const auto number = checked(BN_bin2bn(bytes, sizeof bytes, nullptr));
    const auto serial = checked(BN_to_ASN1_INTEGER(number.get(), nullptr));
    check(X509_set_serialNumber(&made, serial.get()) == 1);
}

void set_times(X509& made, mta::time_point from) {
    const auto at = [](mta::time_point when) {
        return static_cast<std::time_t>(std::chrono::floor<std::chrono::seconds>(when).time_since_epoch().count());
    };
    check(ASN1_TIME_set(X509_getm_notBefore(&made), at(from)) != nullptr);
    check(ASN1_TIME_set(X509_getm_notAfter(&made), at(from + validity)) != nullptr);
}

void add_alternative_name(X509& made, std::string_view name) {
    const auto names = checked(GENERAL_NAMES_new());
    GENERAL_NAME* entry = GENERAL_NAME_new();
    check(entry && sk_GENERAL_NAME_push(names.get(), entry) > 0);
    ASN1_IA5STRING* text = ASN1_IA5STRING_new();
    check(text != nullptr);
    GENERAL_NAME_set0_value(entry, GEN_DNS, text);
    check(ASN1_STRING_set(text, name.data(), static_cast<int>(name.size())) == 1);
    check(X509_add1_ext_i2d(&made, NID_subject_alt_name, names.get(), 0, X509V3_ADD_DEFAULT) == 1);
}

void add_authority_extensions(X509& made) {
    X509V3_CTX context;
    X509V3_set_ctx(&context, &made, &made, nullptr, nullptr, 0);
    for (const auto& [id, text] :
         {std::pair{NID_subject_key_identifier, "hash"}, std::pair{NID_basic_constraints, "critical,CA:TRUE"}}) {
        const auto extension = checked(X509V3_EXT_conf_nid(nullptr, &context, id, text));
        check(X509_add_ext(&made, extension.get(), -1) == 1);
    }
}

owned<X509> make_certificate(const request& wanted, mta::random_source& random) {
    auto made = checked(X509_new());
    check(X509_set_version(made.get(), X509_VERSION_3) == 1);
    set_serial(*made, random);
    set_times(*made, wanted.valid_from);
    X509_NAME* subject = X509_get_subject_name(made.get());
    const auto& name = wanted.common_name;
    // A longer name stands in the alternative name alone.
    if (name.size() <= longest_common_name)
        check(X509_NAME_add_entry_by_NID(subject, NID_commonName, MBSTRING_UTF8,
                                         reinterpret_cast<const unsigned char*>(name.data()),
                                         static_cast<int>(name.size()), -1, 0) == 1);
    check(X509_set_issuer_name(made.get(), wanted.issuer ? X509_get_subject_name(wanted.issuer) : subject) == 1);
    check(X509_set_pubkey(made.get(), wanted.key) == 1);
    wanted.is_authority ? add_authority_extensions(*made) : add_alternative_name(*made, name);
    check(X509_sign(made.get(), wanted.issuer_key ? wanted.issuer_key : wanted.key, EVP_sha256()) > 0);
    return made;
}

std::string text_of(BIO& memory) {
    const char* data = nullptr;
    const long size = BIO_get_mem_data(&memory, &data);
    return std::string(data, static_cast<std::size_t>(size));
}

std::string pem_of(X509& made) {
    const auto memory = checked(BIO_new(BIO_s_mem()));
    check(PEM_write_bio_X509(memory.get(), &made) == 1);
    return text_of(*memory);
}

std::string pem_of(EVP_PKEY& key) {
    const auto memory = checked(BIO_new(BIO_s_mem()));
    check(PEM_write_bio_PrivateKey(memory.get(), &key, nullptr, nullptr, 0, nullptr, nullptr) == 1);
    return text_of(*memory);
}

}  // namespace

struct authority::native {
    owned<EVP_PKEY> key;
    owned<X509> certificate;
};

authority::authority(std::uint64_t seed, mta::time_point valid_from) : seed_(seed), valid_from_(valid_from) {}
authority::~authority() = default;

const authority::native& authority::own() {
    if (own_) return *own_;
    random_stream random(seed_, "", "authority");
    const mta::tls::random_scope scope(random);
    auto fresh = std::make_unique<native>();
    fresh->key = checked(EVP_EC_gen("P-256"));
    request wanted;
    wanted.common_name = "lab CA";
    wanted.is_authority = true;
    wanted.valid_from = valid_from_;
    wanted.key = fresh->key.get();
    fresh->certificate = make_certificate(wanted, random);
    certificate_pem_ = pem_of(*fresh->certificate);
    own_ = std::move(fresh);
    return *own_;
}

const std::string& authority::certificate_pem() {
    own();
    return certificate_pem_;
}

const certificate& authority::certificate_of(std::string_view name, signed_by issuer) {
    const bool self_signed = issuer == signed_by::itself;
    const std::string_view purpose = self_signed ? "self-signed certificate" : "certificate";
    std::string index(purpose);
    index.append(" ").append(name);
    if (const auto known = issued_.find(index); known != issued_.end()) return known->second;

    request wanted;
    wanted.common_name = name;
    wanted.valid_from = valid_from_;
    if (!self_signed) {
        wanted.issuer = own().certificate.get();
        wanted.issuer_key = own().key.get();
    }
    random_stream random(seed_, name, purpose);
    const mta::tls::random_scope scope(random);
    const auto key = checked(EVP_EC_gen("P-256"));
    wanted.key = key.get();
    const auto made = make_certificate(wanted, random);
    certificate fresh;
    fresh.key_pem = pem_of(*key);
    fresh.certificate_pem = pem_of(*made);
    return issued_.emplace(std::move(index), std::move(fresh)).first->second;
}

}  // namespace sim::network
