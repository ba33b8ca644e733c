// mta/smtp/sasl_settings.hpp - how the client logs in at servers (SASL_README, smtp_sasl_glue.c): for whom there is a
// password, which mechanisms may be used, and what servers refused a short while ago.
#pragma once
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "mta/async/scheduler.hpp"
#include "mta/config/parameters.hpp"
#include "mta/sasl/client.hpp"
#include "mta/table/maps.hpp"
#include "mta/table/match_list.hpp"

namespace mta::master {
class mail_system;
}

namespace mta::smtp {

struct sasl_settings {
    // Throws config::fatal where smtp(8) would not start.
    sasl_settings(master::mail_system& mail, const config::parameters& parameters, const std::string& prefix,
                  bool lmtp);

    bool enabled = false;
    bool by_sender = false;   // smtp_sender_dependent_authentication
    bool soft_bounce = true;  // a 5xx at AUTH defers
    table::maps passwords;
    table::address_rules sender_rules;
    std::optional<table::string_list> mechanism_filter;
    // Texts, for a word that is none is fatal in the session that meets it.
    std::string options, tls_options, verified_tls_options;
    bool remembers_failures = false;  // smtp_sasl_auth_cache_name
    duration memory{};

    // "user:password" of the sender, the server, or the destination; nothing when there is none. `failed` names the
    // table when it cannot tell.
    std::optional<sasl::credentials> find(std::string_view sender, std::string_view host, std::string_view destination,
                                          bool& failed) const;
    // The offered words that the filter lets through.
    std::string usable(std::string_view offered) const;
};

// What servers said to logins that are not to be repeated (smtp_sasl_auth_cache_name).
class login_failures {
  public:
    struct entry {
        std::string password, dsn, text;
        time_point until;
    };
    const entry* find(const std::string& host, const sasl::credentials& who, time_point now) const;
    void remember(const std::string& host, const sasl::credentials& who, entry what);

  private:
    std::map<std::pair<std::string, std::string>, entry> by_login_;  // host and user
};

}  // namespace mta::smtp
