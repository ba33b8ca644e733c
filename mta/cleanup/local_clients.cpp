#include "mta/cleanup/local_clients.hpp"

#include "mta/address/trivial_rewrite.hpp"
#include "mta/config/parameters.hpp"
#include "mta/master/mail_system.hpp"
#include "mta/text/strings.hpp"

namespace mta::cleanup {

local_clients::local_clients(master::mail_system& mail, const config::parameters& parameters,
                             std::vector<table::diagnostic>& complaints)
    : mail_(mail) {
    struct row {
        std::string_view word;
        bool local_clients::* what;
    };
    const row rows[] = {{"permit_inet_interfaces", &local_clients::own_addresses_},
                        {"permit_mynetworks", &local_clients::networks_},
                        {"permit_sasl_authenticated", &local_clients::authenticated_},
                        {"permit_tls_clientcerts", &local_clients::certified_},
                        {"permit_tls_all_clientcerts", &local_clients::certified_}};
    std::string tables;
    for (const std::string& word : parameters.words("local_header_rewrite_clients")) {
        bool known = word.find(':') != std::string::npos;
        if (known) tables += word + " ";
        for (const row& each : rows) {
            if (!text::equal_ignoring_case(word, each.word)) continue;
            this->*each.what = true;
            known = true;
        }
        known = known || text::equal_ignoring_case(word, "check_address_map");
        if (!known)
            complaints.push_back(
                {table::severity::warning, "parameter local_header_rewrite_clients: invalid request: " + word, {}});
    }
    const auto environment = mail.table_environment(parameters);
    tables_ =
        table::maps::open("local_header_rewrite_clients", tables, mail.shared().tables, environment, {}, complaints);
    if (!networks_) return;
    const auto style = table::parent_style_of("mynetworks", parameters.text("parent_domain_matches_subdomains"));
    mynetworks_ = table::name_address_list("mynetworks", parameters.text("mynetworks"), mail.shared().tables,
                                           environment, complaints, style);
}

bool local_clients::covers(const client& who) const {
    return (own_addresses_ && mail_.rewrite().is_own_address(who.address)) ||
           (networks_ && mynetworks_.match(who.name, who.address).matched()) || (authenticated_ && who.authenticated) ||
           (certified_ && who.certified) || (!tables_.empty() && tables_.find(who.address).found());
}

}  // namespace mta::cleanup
