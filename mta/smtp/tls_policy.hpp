// mta/smtp/tls_policy.hpp - what a session with one server of one destination must have of TLS (smtp_tls_policy.c,
// TLS_README "client TLS per-site policies").
//
// The level of main.cf, or what smtp_tls_policy_maps or the older smtp_tls_per_site says of the next hop. A policy that
// makes no sense is a failure: mail waits rather than goes out less safe than was meant.
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mta/config/parameters.hpp"
#include "mta/queue/queue_file.hpp"
#include "mta/table/maps.hpp"
#include "mta/tls/tls_stream.hpp"

namespace mta::master {
class mail_system;
}

namespace mta::smtp {

// The names that main.cf and a policy know, weakest first. dane_only becomes dane once there are records.
enum class tls_level : std::uint8_t { none, may, encrypt, fingerprint, dane, dane_only, verify, secure };
std::optional<tls_level> tls_level_named(std::string_view name);
std::string_view name_of(tls_level level);

struct tls_policy {
    tls_level level = tls_level::none;
    std::string protocols, ciphers;
    std::optional<std::string> exclude;     // ciphers
    std::string server_name;                // SNI
    std::vector<std::string> match_names;   // verify, secure: also "nexthop", "dot-nexthop", "hostname"
    std::vector<std::string> fingerprints;  // as written
    std::vector<tls::tlsa_record> records;  // dane
    bool dane_only = false;                 // of those: no session without one that can be used
    bool half_dane = false;                 // the MX record that named the server is not secure: trusted, not verified
    std::vector<std::string> anchor_files;  // verify, secure: instead of smtp_tls_trust_anchor_file
    std::optional<queue::delivery_status> failure;
    std::vector<std::string> warnings;

    bool wanted() const { return level != tls_level::none; }
    bool required() const { return level > tls_level::may; }
    tls::security_level security() const;
    void fail() { failure = queue::delivery_status("4.7.5", "client TLS configuration problem"); }
};

class tls_policies {
  public:
    tls_policies(master::mail_system& mail, const config::parameters& parameters, const std::string& prefix);

    // Whether any session may come to TLS.
    bool in_use() const { return level_ != tls_level::none || !policies_.empty() || !per_site_.empty(); }
    tls_level level() const { return level_; }
    // `destination` is the next hop as written, "[mail.ohio.cc]:587"; `host` the server's name.
    tls_policy find(std::string_view destination, std::string_view host) const;
    // Fills in what the level leaves to main.cf, once it is settled.
    void complete(tls_policy& policy, std::string_view destination) const;

  private:
    std::optional<tls_level> look_up_all(tls_policy& into, std::string_view destination) const;
    std::optional<tls_level> look_up(tls_policy& into, std::string_view name) const;
    std::optional<tls_level> per_site(tls_policy& into, std::optional<tls_level> so_far, std::string_view name,
                                      std::string_view what) const;
    std::string prefix_;
    tls_level level_ = tls_level::none;
    table::maps policies_, per_site_;
    std::string protocols_, mandatory_protocols_, ciphers_, mandatory_ciphers_, exclude_, mandatory_exclude_,
        server_name_;
    void take_anchors(tls_policy& policy) const;
    master::mail_system& mail_;
    std::vector<std::string> verify_names_, secure_names_, fingerprints_, anchor_files_;
};

}  // namespace mta::smtp
