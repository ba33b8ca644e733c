// mta/tls/summary.hpp - how Postfix describes a TLS session and why a certificate is not good. For mta/tls alone.
#pragma once
#include <string>
#include <string_view>

#include "mta/tls/tls_stream.hpp"

struct ssl_st;
struct x509_st;

namespace mta::tls {

// All but trust and matched, which depend on what was expected.
session_summary summarize(const ssl_st& session, side which, const std::string& digest);

// "/O=Other/CN=other CA", printable.
std::string issuer_line(x509_st* certificate);

// "server certificate verification failed for PEER: certificate has expired"; `error` is one of X509_V_ERR_*.
std::string verification_failure(side which, std::string_view peer, int error, int depth, std::string_view issuer);

}  // namespace mta::tls
