// mta/address/trivial_rewrite.hpp - the address service of one mail system: rewriting, address classes, routes
// (trivial-rewrite(8)).
//
// Binds the pure functions of this room to the parameters and tables of a host. Parameters are read once, at the start.
#pragma once
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
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

    // As the queue manager asks: bad syntax and failed lookups already name the error and retry transports. The second
    // form is for who asks again and again: null where the next answer may be another one (randmap).
    const resolved& route(std::string_view sender, std::string_view recipient);
    std::shared_ptr<const resolved> lasting_route(std::string_view sender, std::string_view recipient);
    // As the queue manager asks for probes of verify(8) (address_verify_*_transport and their like).
    const resolved& route_probe(std::string_view sender, std::string_view recipient);
    // As smtpd asks: the class and the flags, untouched.
    const resolved& resolve(std::string_view sender, std::string_view recipient);
    // As smtpd's restrictions ask: `recipient` is rewritten first (the local context), and comes back in lower case.
    std::shared_ptr<const resolved> resolve_folded(std::string_view sender, std::string_view recipient);

    // Internal form in and out; `local`: the context of local submission, else of remote clients.
    std::string rewrite(std::string_view address, bool local) const;
    // resolve_local(3): $mydestination, or a literal of $inet_interfaces or $proxy_interfaces.
    lookup_status is_local_domain(std::string_view domain, std::vector<std::string>* said = nullptr) const;
    bool is_own_address(std::string_view ip) const;  // inet_interfaces, proxy_interfaces

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
    resolve_context context_, probe_context_;
    std::vector<std::string> heard_;  // what tables said while an address was looked at
    bool cacheable_ = true;
    bool sender_matters_ = false;  // some table is asked for the sender
    std::string remote_domain_;

    using question = std::pair<std::string_view, std::string_view>;  // sender, recipient
    struct stored_question {
        std::string sender, recipient;
        explicit stored_question(question q) : sender(q.first), recipient(q.second) {}
        operator question() const { return {sender, recipient}; }
    };
    struct question_hash {
        using is_transparent = void;
        std::size_t operator()(const question& q) const {
            const std::hash<std::string_view> hash;
            return hash(q.first) * 31 + hash(q.second);
        }
    };
    struct same_question {
        using is_transparent = void;
        bool operator()(const question& a, const question& b) const { return a == b; }
    };
    // Answers depend on nothing but the question while tables stand still; bounded, and never gone through in order.
    resolved find_out(std::string_view sender, std::string_view recipient, const resolve_context& context);
    table::list_match heard(table::list_match match);
    table::match heard(table::match match);
    using answer = std::shared_ptr<const resolved>;
    using cache = std::unordered_map<stored_question, answer, question_hash, same_question>;
    question asked_about(std::string_view sender, std::string_view recipient) const;
    const answer* known(const cache& answers, const question& asked) const;
    const answer& keep(cache& answers, const question& asked, resolved made) const;
    const answer& routed(const question& asked);
    cache resolved_, folded_, routed_, probes_;
};

}  // namespace mta::address
