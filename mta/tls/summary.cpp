#include "mta/tls/summary.hpp"

#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>

#include <array>

#include "mta/text/strings.hpp"
#include "mta/tls/native.hpp"

namespace mta::tls {
namespace {

constexpr std::size_t longest_name = 256;  // CCERT_BUFSIZ

std::string printable(std::string text) {
    for (char& c : text)
        if (static_cast<unsigned char>(c) < ' ' || c == 127) c = '?';
    return text;
}

// The first entry of that kind; "" when it is absent, overlong, or hides something behind a NUL.
std::string entry_of(const X509_NAME* name, int kind) {
    const int at = X509_NAME_get_index_by_NID(const_cast<X509_NAME*>(name), kind, -1);
    if (at < 0) return {};
    const ASN1_STRING* value = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at));
    unsigned char* utf8 = nullptr;
    const int size = ASN1_STRING_to_UTF8(&utf8, value);
    if (size < 0) return {};
    std::string text(reinterpret_cast<const char*>(utf8), static_cast<std::size_t>(size));
    OPENSSL_free(utf8);
    while (!text.empty() && text.back() == '\0') text.pop_back();
    if (text.size() >= longest_name || text.find('\0') != text.npos) return {};
    return printable(std::move(text));
}

std::string colon_hex(const unsigned char* bytes, unsigned size) {
    constexpr std::string_view digits = "0123456789ABCDEF";
    std::string text;
    for (unsigned i = 0; i < size; ++i) {
        if (i != 0) text += ':';
        text += digits[bytes[i] >> 4];
        text += digits[bytes[i] & 15];
    }
    return text;
}

}  // namespace

std::string hexadecimal(std::string_view binary) {
    const auto* bytes = reinterpret_cast<const unsigned char*>(binary.data());
    return text::replaced(colon_hex(bytes, static_cast<unsigned>(binary.size())), ":", "");
}

namespace {

std::string certificate_print(const X509* certificate, const EVP_MD* digest) {
    unsigned char bytes[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    return X509_digest(certificate, digest, bytes, &size) == 1 ? colon_hex(bytes, size) : std::string();
}

// Of the whole SubjectPublicKeyInfo, as tls_legacy_public_key_fingerprints=no has it.
std::string public_key_print(X509* certificate, const EVP_MD* digest) {
    unsigned char* der = nullptr;
    const int length = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &der);
    if (length <= 0) return {};
    unsigned char bytes[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    const bool good = EVP_Digest(der, static_cast<std::size_t>(length), bytes, &size, digest, nullptr) == 1;
    OPENSSL_free(der);
    return good ? colon_hex(bytes, size) : std::string();
}

std::string group_of(const EVP_PKEY* key) {
    char name[64];
    std::size_t size = 0;
    return EVP_PKEY_get_group_name(key, name, sizeof name, &size) == 1 ? std::string(name, size) : std::string();
}

// "X25519", "ECDHE (prime256v1)", "DHE (2048 bits)"
std::string key_exchange(const EVP_PKEY* key) {
    switch (EVP_PKEY_get_base_id(key)) {
        case EVP_PKEY_EC:
            return "ECDHE (" + group_of(key) + ")";
        case EVP_PKEY_DH:
            return "DHE (" + std::to_string(EVP_PKEY_get_bits(key)) + " bits)";
        default:
            return OBJ_nid2sn(EVP_PKEY_get_base_id(key));
    }
}

// " server-signature ECDSA (prime256v1) server-digest SHA256"
std::string signature(std::string_view whose, const EVP_PKEY* key, int digest) {
    std::string text = " ";
    text.append(whose).append("-signature ");
    switch (EVP_PKEY_get_base_id(key)) {
        case EVP_PKEY_EC:
            text += "ECDSA (" + group_of(key) + ")";
            break;
        // TLS 1.3 allows no other padding.
        case EVP_PKEY_RSA:
            text += "RSA-PSS (" + std::to_string(EVP_PKEY_get_bits(key)) + " bits)";
            break;
        default:
            text += OBJ_nid2sn(EVP_PKEY_get_base_id(key));
    }
    if (digest != NID_undef) text.append(" ").append(whose).append("-digest ").append(OBJ_nid2sn(digest));
    return text;
}

// Postfix tells these of TLS 1.3 only.
std::string details_of(SSL* session, side which) {
    if (SSL_version(session) < TLS1_3_VERSION) return {};
    std::string text;
    EVP_PKEY* temporary = nullptr;
    if (SSL_get_peer_tmp_key(session, &temporary) == 1) {
        text = " key-exchange " + key_exchange(temporary);
        EVP_PKEY_free(temporary);
    }
    // A client may have a certificate and not have used it: only then is there no signature of its own.
    std::string own, peers;
    const std::string_view mine = which == side::server ? "server" : "client";
    const std::string_view theirs = which == side::server ? "client" : "server";
    int digest = NID_undef;
    const bool signed_here = SSL_get_signature_type_nid(session, &digest) == 1;
    const X509* local = SSL_get_certificate(session);
    digest = NID_undef;
    SSL_get_signature_nid(session, &digest);
    if (local && signed_here) own = signature(mine, X509_get0_pubkey(local), digest);
    digest = NID_undef;
    SSL_get_peer_signature_nid(session, &digest);
    if (const X509* peer = SSL_get0_peer_certificate(session))
        peers = signature(theirs, X509_get0_pubkey(peer), digest);
    return text + (which == side::server ? own + peers : peers + own);
}

}  // namespace

session_summary summarize(const ssl_st& session, side which, const std::string& digest) {
    auto* native = const_cast<SSL*>(&session);  // OpenSSL's getters take no const
    session_summary result;
    result.protocol = SSL_get_version(native);
    if (const SSL_CIPHER* cipher = SSL_get_current_cipher(native)) {
        result.cipher = SSL_CIPHER_get_name(cipher);
        result.cipher_bits = SSL_CIPHER_get_bits(cipher, &result.algorithm_bits);
    }
    result.details = details_of(native, which);
    X509* peer = SSL_get0_peer_certificate(native);
    if (!peer) return result;
    result.certificate_present = true;
    result.peer_common_name = entry_of(X509_get_subject_name(peer), NID_commonName);
    result.issuer_common_name = entry_of(X509_get_issuer_name(peer), NID_commonName);
    if (result.issuer_common_name.empty())
        result.issuer_common_name = entry_of(X509_get_issuer_name(peer), NID_organizationName);
    if (const EVP_MD* algorithm = EVP_get_digestbyname(digest.c_str())) {
        result.certificate_fingerprint = certificate_print(peer, algorithm);
        result.public_key_fingerprint = public_key_print(peer, algorithm);
    }
    return result;
}

std::string issuer_line(X509* certificate) {
    std::array<char, longest_name> line{};
    X509_NAME_oneline(X509_get_issuer_name(certificate), line.data(), static_cast<int>(line.size()));
    return printable(line.data());
}

std::string verification_failure(side which, std::string_view peer, int error, int depth, std::string_view issuer) {
    const std::string_view whose = which == side::server ? "client" : "server";
    std::string head = "certificate verification failed for ";
    head.append(peer).append(": ");
    switch (error) {
        case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
            return head + "self-signed certificate";
        case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
        case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
        case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
            return head.append("untrusted issuer ").append(issuer);
        default:
            break;
    }
    head.insert(0, std::string(whose) + ' ');
    switch (error) {
        case X509_V_ERR_CERT_UNTRUSTED:
            return head + "not trusted by local or TLSA policy";
        case X509_V_ERR_CERT_NOT_YET_VALID:
        case X509_V_ERR_ERROR_IN_CERT_NOT_BEFORE_FIELD:
            return head + "certificate not yet valid";
        case X509_V_ERR_CERT_HAS_EXPIRED:
        case X509_V_ERR_ERROR_IN_CERT_NOT_AFTER_FIELD:
            return head + "certificate has expired";
        case X509_V_ERR_INVALID_PURPOSE:
            return head + "not designated for use as a " + std::string(whose) + " certificate";
        case X509_V_ERR_CERT_CHAIN_TOO_LONG:
            return head + "certificate chain longer than limit(" + std::to_string(depth - 1) + ")";
        default:
            return head + "num=" + std::to_string(error) + ":" + X509_verify_cert_error_string(error);
    }
}

std::string_view name_of(trust how) {
    switch (how) {
        case trust::anonymous:
            return "Anonymous";
        case trust::untrusted:
            return "Untrusted";
        case trust::trusted:
            return "Trusted";
        case trust::verified:
            return "Verified";
    }
    return "Anonymous";
}

}  // namespace mta::tls
