#include "mta/cleanup/local_clients.hpp"

#include <algorithm>
#include <utility>

#include "mta/address/trivial_rewrite.hpp"
#include "mta/config/parameters.hpp"
#include "mta/master/mail_system.hpp"
#include "mta/text/strings.hpp"

namespace mta::cleanup {

local_clients::kind local_clients::kind_of(std::string_view text) {
    struct row {
        std::string_view word;
        kind what;
    };
    constexpr row rows[] = {{"permit_inet_interfaces", kind::own_address},
                            {"permit_mynetworks", kind::network},
                            {"permit_sasl_authenticated", kind::authenticated},
                            {"permit_tls_clientcerts", kind::listed},
                            {"permit_tls_all_clientcerts", kind::certified}};
    for (const row& each : rows) {
        if (text::equal_ignoring_case(text, each.word)) return each.what;
    }
    return text.find(':') != std::string_view::npos ? kind::table : kind::unknown;
}

local_clients::local_clients(master::mail_system& mail, const config::parameters& parameters,
                             std::vector<table::diagnostic>& complaints)
    : mail_(mail) {
    constexpr std::string_view title = "local_header_rewrite_clients";
    const auto environment = mail.table_environment(parameters);
    auto& tables = mail.shared().tables;
    for (const std::string& text : parameters.words(std::string(title))) {
        if (text::equal_ignoring_case(text, "check_address_map")) continue;  // the table that follows says as much
        word made{text, kind_of(text), {}};
        if (made.what == kind::table)
            made.addresses = table::maps::open(title, text, tables, environment, {}, complaints);
        words_.push_back(std::move(made));
    }
    const auto asks = [&](kind one) {
        return std::any_of(words_.begin(), words_.end(), [one](const word& each) { return each.what == one; });
    };
    if (asks(kind::listed) || asks(kind::certified)) {
        std::vector<table::diagnostic> told;  // the restrictions have the same tables, and speak of them
        relay_certificates_ =
            table::maps::open("relay_clientcerts", parameters.text("relay_clientcerts"), tables, environment, {}, told);
    }
    if (!asks(kind::network)) return;
    const auto style = table::parent_style_of("mynetworks", parameters.text("parent_domain_matches_subdomains"));
    mynetworks_ =
        table::name_address_list("mynetworks", parameters.text("mynetworks"), tables, environment, complaints, style);
}

bool local_clients::is_listed(const client& who, std::vector<std::string>& warnings) const {
    for (const std::string_view print : {who.fingerprint, who.public_key_fingerprint}) {
        const table::match found = relay_certificates_.find(print);
        warnings.insert(warnings.end(), found.result.warnings.begin(), found.result.warnings.end());
        if (found.found()) return true;
        if (found.failed()) return false;
    }
    return false;
}

local_clients::answer local_clients::covers(const client& who, std::vector<std::string>& warnings) const {
    for (const word& each : words_) {
        bool covered = false;
        switch (each.what) {
            case kind::table: {
                const table::match found = each.addresses.find(who.address);
                warnings.insert(warnings.end(), found.result.warnings.begin(), found.result.warnings.end());
                if (found.failed()) return answer::failed;
                covered = found.found();
                break;
            }
            case kind::own_address:
                covered = mail_.rewrite().is_own_address(who.connected_from);
                break;
            case kind::network:
                covered = mynetworks_.match(who.name, who.address).matched();
                break;
            case kind::authenticated:
                covered = who.authenticated;
                break;
            case kind::listed:
                covered = is_listed(who, warnings);
                break;
            case kind::certified:
                covered = who.certified || is_listed(who, warnings);
                break;
            case kind::unknown:
                warnings.push_back("parameter local_header_rewrite_clients: invalid request: " + each.text);
                break;
        }
        if (covered) return answer::yes;
    }
    return answer::no;
}

}  // namespace mta::cleanup
