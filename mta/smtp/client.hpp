// mta/smtp/client.hpp - the SMTP client: takes a delivery request from host to host until every recipient is settled
// (smtp(8), lmtp(8), smtp_connect.c).
#pragma once
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "mta/delivery/request.hpp"
#include "mta/host.hpp"
#include "mta/smtp/connection_cache.hpp"
#include "mta/smtp/next_hop.hpp"
#include "mta/smtp/settings.hpp"

namespace mta::smtp {

class session;

class client {
  public:
    client(master::mail_system& mail, master::daemon& service);
    ~client();
    task<void> deliver(delivery::report& account);

  private:
    struct attempt;
    // Of one destination: what was used up of its limits, and whether anything comes after it.
    struct progress {
        std::int64_t addresses = 0, sessions = 0;
        std::uint16_t best_preference = 0;
        bool last_host = false, last_destination = false;
    };
    enum class plaintext : bool { no, yes };

    task<void> try_destination(attempt& now, const next_hop& to, bool last_destination);
    task<void> check_resolver(attempt& now, bool proven);
    task<void> use_cached(attempt& now, const next_hop& to, candidates& found, progress& seen);
    task<bool> try_cached(attempt& now, const next_hop& to, candidates* found, progress& seen,
                          std::unique_ptr<connection> link);
    task<bool> try_host(attempt& now, const next_hop& to, progress& seen, const candidate& host, plaintext fallback);
    task<bool> policy_allows(attempt& now, const next_hop& to, const candidate& host, tls_policy& policy);
    task<std::unique_ptr<connection>> connect(attempt& now, const candidate& host, std::uint16_t port);
    bool has_address(const address::ip_address& which) const;
    void keep_or_drop(attempt& now, session& conversation);
    std::string endpoint_label(const attempt& now, const std::string& destination, const candidate& host,
                               std::uint16_t port) const;
    std::string sender_of(const attempt& now) const;
    void choose_caching(attempt& now, const std::string& destination, const next_hop& to) const;
    next_hop parse(const std::string& destination, const maillog::process& by) const;
    void try_local(attempt& now, std::string_view path) const;
    task<void> give_up(attempt& now, const queue::delivery_status& why);

    master::mail_system& mail_;
    master::daemon& service_;
    std::unique_ptr<const settings> settings_;
    connection_cache cache_;
    login_failures failed_logins_;
    std::set<unsigned> know_their_resolver_;  // processes that have asked whether it validates
};

}  // namespace mta::smtp
