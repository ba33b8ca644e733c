// mta/cleanup/local_clients.hpp - whose mail is rewritten as if it were local: local_header_rewrite_clients
// (postconf(5)).
//
// A client that no word covers gets its headers rewritten with remote_header_rewrite_domain, or not at all. Words are
// asked in their order; a table that fails ends the search, and the client hears of it at MAIL.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "mta/table/maps.hpp"
#include "mta/table/match_list.hpp"

namespace mta::config {
class parameters;
}
namespace mta::master {
class mail_system;
}

namespace mta::cleanup {

class local_clients {
  public:
    struct client {
        std::string_view name, address;
        std::string_view connected_from;                       // its address, whatever XCLIENT says
        bool authenticated = false;                            // SASL
        bool certified = false;                                // showed a TLS certificate that was verified
        std::string_view fingerprint, public_key_fingerprint;  // of the certificate that it showed, or ""
    };
    enum class answer : std::uint8_t { no, yes, failed };

    local_clients(master::mail_system& mail, const config::parameters& parameters,
                  std::vector<table::diagnostic>& complaints);
    // `warnings`: what is said of it each time.
    answer covers(const client& who, std::vector<std::string>& warnings) const;

  private:
    enum class kind : std::uint8_t { table, own_address, network, authenticated, listed, certified, unknown };
    struct word {
        std::string text;
        kind what = kind::unknown;
        table::maps addresses;  // of a table
    };
    static kind kind_of(std::string_view text);
    bool is_listed(const client& who, std::vector<std::string>& warnings) const;

    master::mail_system& mail_;
    std::vector<word> words_;
    table::name_address_list mynetworks_;
    table::maps relay_certificates_;
};

}  // namespace mta::cleanup
