// mta/sasl/client_scram.hpp - the client's side of SCRAM without channel binding (RFC 5802, RFC 7677; Cyrus SASL's
// wording). For mta/sasl alone.
#pragma once
#include "mta/sasl/client.hpp"

namespace mta::sasl {

struct scram_variant {
    const char* mechanism;
    const char* digest;  // as OpenSSL names it
};
inline constexpr scram_variant scram_sha_1{"SCRAM-SHA-1", "SHA1"};
inline constexpr scram_variant scram_sha_256{"SCRAM-SHA-256", "SHA256"};
inline constexpr scram_variant scram_sha_384{"SCRAM-SHA-384", "SHA384"};
inline constexpr scram_variant scram_sha_512{"SCRAM-SHA-512", "SHA512"};

class scram_client final : public client_exchange {
  public:
    scram_client(const scram_variant& kind, const credentials& who)
        : client_exchange(kind.mechanism, who), kind_(kind) {}
    std::string initial() override;

  private:
    response answer(std::string_view challenge) override;
    response prove(std::string_view challenge);
    response check_server(std::string_view challenge);

    const scram_variant& kind_;
    std::string first_, nonce_, server_signature_;
};

}  // namespace mta::sasl
