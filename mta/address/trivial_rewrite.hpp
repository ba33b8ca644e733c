// mta/address/trivial_rewrite.hpp - the address service of one mail system: rewriting, address classes, routes
// (trivial-rewrite(8)).
//
// Binds the pure functions of this room to the parameters and tables of a host. Parameters are read once, at the start.
#pragma once
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "mta/address/extension.hpp"
#include "mta/address/resolve.hpp"
#include "mta/table/lookup_order.hpp"
#include "mta/table/match_list.hpp"

namespace mta::config {
class parameters;
}
namespace mta {
class Host;
}

namespace mta::address {

class trivial_rewrite {
  public:
    // `complaints` receives what tables and lists say when they are opened.
    trivial_rewrite(const config::parameters& parameters, Host& host, table::registry& registry,
                    const table::environment& environment, std::vector<table::diagnostic>& complaints);
    ~trivial_rewrite();

    // As the queue manager asks: bad syntax and failed lookups already name the error and retry transports.
    const resolved& route(std::string_view sender, std::string_view recipient);
    // As smtpd asks: the class and the flags, untouched.
    const resolved& resolve(std::string_view sender, std::string_view recipient);

    // Internal form in and out; `local`: the context of local submission, else of remote clients.
    std::string rewrite(std::string_view address, bool local) const;
    // resolve_local(3): $mydestination, or a literal of $inet_interfaces or $proxy_interfaces.
    lookup_status is_local_domain(std::string_view domain) const;
    bool is_own_address(std::string_view ip) const;         // inet_interfaces, proxy_interfaces

    const table::address_rules& address_rules() const { return address_rules_; }
    extension_rules extensions() const;
    const rewrite_context& local_context() const { return context_.local; }

  private:
    struct lists;

    std::unique_ptr<lists> lists_;
    std::string recipient_delimiter_;
    bool owner_request_special_;
    std::string double_bounce_sender_;
    table::address_rules address_rules_;
    resolve_context context_;
    bool cacheable_ = true;
    std::string remote_domain_;
    // Answers depend on nothing but the question while tables stand still; bounded.
    std::map<std::pair<std::string, std::string>, resolved, std::less<>> resolved_, routed_;
};

}  // namespace mta::address
