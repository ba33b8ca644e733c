// mta/smtp/tls_policy_attributes.hpp - the attributes that follow the level in an entry of smtp_tls_policy_maps.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "mta/smtp/tls_policy.hpp"

namespace mta::smtp {

// One "name=value" of a policy. read() gives "" or what is wrong with it, without the place.
class attribute_reader {
  public:
    attribute_reader(tls_policy& into, tls_level level) : into_(into), level_(level) {}
    std::string read(std::string_view word);

  private:
    std::string take_once(std::string& slot, bool& seen, std::string_view name, std::string_view value);
    std::string take_match(std::string_view name, std::string_view value);
    tls_policy& into_;
    tls_level level_;
    bool ciphers_ = false, protocols_ = false, server_name_ = false, exclude_ = false;
};

void append_words(std::vector<std::string>& to, std::string_view text, std::string_view separators);

}  // namespace mta::smtp
