// mta/cleanup/local_clients.hpp - whose mail is rewritten as if it were local: local_header_rewrite_clients
// (postconf(5)).
//
// A client that no word covers gets its headers rewritten with remote_header_rewrite_domain, or not at all. A table
// that fails covers nobody.
#pragma once
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
        bool authenticated = false;  // SASL
        bool certified = false;      // showed a TLS certificate that was verified
    };
    local_clients(master::mail_system& mail, const config::parameters& parameters,
                  std::vector<table::diagnostic>& complaints);
    bool covers(const client& who) const;

  private:
    master::mail_system& mail_;
    bool own_addresses_ = false, networks_ = false, authenticated_ = false, certified_ = false;
    table::name_address_list mynetworks_;
    table::maps tables_;
};

}  // namespace mta::cleanup
