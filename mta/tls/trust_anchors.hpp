// mta/tls/trust_anchors.hpp - the trust anchors of a file, certificates and bare public keys in PEM
// (smtp_tls_trust_anchor_file, "tafile" of a TLS policy).
//
// What is not PEM is passed over. Something else in PEM spoils the whole file, as having nothing does.
#pragma once
#include <string_view>
#include <vector>

#include "mta/tls/tls_stream.hpp"

namespace mta::tls {

struct trust_anchors {
    std::vector<tlsa_record> records;
    bool good = false;
};
trust_anchors read_trust_anchors(std::string_view pem);

}  // namespace mta::tls
