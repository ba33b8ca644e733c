// mta/sasl/scram.hpp - SCRAM-SHA-256 without channel binding (RFC 5802, RFC 7677).
#pragma once
#include "mta/sasl/server.hpp"

namespace mta::sasl {

class scram_exchange final : public exchange {
  public:
    explicit scram_exchange(const realm& where) : exchange(where) {}
    answer next(const std::optional<std::string>& message) override;

  private:
    std::optional<std::string> read_first(std::string_view message, std::string& name);
    answer first(std::string_view message);
    answer final_message(std::string_view message);

    enum class stage : std::uint8_t { first, proof, done };
    stage stage_ = stage::first;
    std::string header_, client_first_, server_first_, nonce_, salted_;
};

}  // namespace mta::sasl
