// mta/tls/native.hpp - OpenSSL's objects with an owner, and its error queue as Postfix logs it. For mta/tls alone.
#pragma once
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <memory>
#include <vector>

#include "mta/tls/context.hpp"

namespace mta::tls {

struct native_deleter {
    void operator()(BIO* p) const { BIO_free_all(p); }
    void operator()(EVP_PKEY* p) const { EVP_PKEY_free(p); }
    void operator()(EVP_PKEY_CTX* p) const { EVP_PKEY_CTX_free(p); }
    void operator()(SSL* p) const { SSL_free(p); }
    void operator()(SSL_CTX* p) const { SSL_CTX_free(p); }
    void operator()(X509* p) const { X509_free(p); }
};
template <class T>
using owned = std::unique_ptr<T, native_deleter>;

// Empties this thread's queue: "TLS library problem: error:0A000102:SSL routines::unsupported protocol:FILE:LINE:".
void append_library_errors(std::vector<log_line>& to);

}  // namespace mta::tls
