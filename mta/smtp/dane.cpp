#include "mta/smtp/dane.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "mta/dns.hpp"
#include "mta/host.hpp"
#include "mta/text/strings.hpp"
#include "mta/tls/tls_stream.hpp"

namespace mta::smtp {
namespace {

enum class obstacle : std::uint8_t {
    configuration,  // of this host: said aloud
    destination,    // which has no secure records
    unusable,       // records that nobody can use still ask for TLS
};

// dane goes on without; dane-only does not.
void give_way(tls_policy& policy, obstacle what, std::string why) {
    const bool aloud = what == obstacle::configuration;
    if (policy.level == tls_level::dane) {
        policy.level = what == obstacle::unusable ? tls_level::encrypt : tls_level::may;
        if (aloud) policy.warnings.push_back(std::move(why));
    } else if (aloud) {
        policy.warnings.push_back(std::move(why));
        policy.fail();
    } else {
        policy.failure = queue::delivery_status("4.7.5", std::move(why));
    }
}

task<dns::response> ask_for_records(Host& host, std::string name) {
    dns::question question;
    question.name = std::move(name);
    question.type = dns::record_type::tlsa;
    dns::lookup way(std::move(question));
    while (!way.done()) {
        dns::response next = co_await host.resolve(way.asked());
        way.feed(std::move(next));
    }
    co_return way.result();
}

bool has_secure_records(const dns::response& answer) {
    return answer.authenticated && !dns::records_of(answer, dns::record_type::tlsa).empty();
}

// Whether a record's digest can be compared is the handshake's to find out.
void take_records(const dns::response& answer, const std::string& asked, tls_policy& policy) {
    for (const dns::record& each : dns::records_of(answer, dns::record_type::tlsa)) {
        const dns::tlsa_fields& r = each.tlsa;
        if (r.usage == 2 || r.usage == 3) {
            policy.records.push_back({r.usage, r.selector, r.matching, r.data});
        } else {
            policy.warnings.push_back(fmt::format("{} unsupported TLSA certificate usage: {} {} {} {}", asked, r.usage,
                                                  r.selector, r.matching, tls::hexadecimal(r.data)));
        }
    }
}

}  // namespace

task<std::string> probe_dnssec(Host& host, std::string what) {
    const std::size_t colon = what.find(':');
    const auto type = dns::type_named(what.substr(0, colon));
    if (!type || colon == std::string::npos) co_return std::string();
    dns::question question;
    question.name = what.substr(colon + 1);
    if (question.name == ".") question.name.clear();
    question.type = *type;
    const dns::response answer = co_await host.resolve(question);
    std::string wrong;
    if (!answer.ok() && !answer.not_found()) {
        wrong = fmt::format("dnssec_probe '{}' received no response: {}", what, dns::text_of(answer.state));
    } else if (!answer.authenticated) {
        wrong = fmt::format("dnssec_probe '{}' received a response that is not DNSSEC validated", what);
    }
    co_return wrong;
}

task<void> settle_dane(Host& host, const dane_settings& with, const next_hop& to, const candidate& server,
                       tls_policy& policy) {
    if (policy.level != tls_level::dane && policy.level != tls_level::dane_only) co_return;
    if (!with.dnssec) {
        give_way(policy, obstacle::configuration,
                 fmt::format("{}: {} configured with dnssec lookups disabled", to.as_written, name_of(policy.level)));
        co_return;
    }
    if (with.ignores_mx_errors) {
        give_way(policy, obstacle::configuration,
                 fmt::format("{}: {} configured with MX lookup errors ignored", to.as_written, name_of(policy.level)));
        co_return;
    }
    const bool insecure_mx = server.from_mx && !server.mx_is_secure;
    if (insecure_mx && (policy.level == tls_level::dane_only || with.insecure_mx <= tls_level::may)) {
        give_way(policy, obstacle::destination, "non DNSSEC destination");
        co_return;
    }
    // The name that an alias leads to has its own records, or else the alias has (RFC 7672 2.2.2, 2.2.3).
    std::vector<std::string> bases = {server.name};
    if (!server.canonical.empty()) bases.insert(bases.begin(), server.canonical);
    if (!server.is_secure && !with.asks_insecure_hosts) bases.clear();
    dns::response answer;
    answer.state = dns::status::nodata;
    std::string base, asked;
    for (const std::string& each : bases) {
        base = each;
        asked = fmt::format("_{}._tcp.{}", to.port, base);
        dns::response next = co_await ask_for_records(host, asked);
        answer = std::move(next);
        if (has_secure_records(answer) || (!answer.ok() && !answer.not_found())) break;
    }
    if (!answer.ok() && !answer.not_found()) {
        policy.failure =
            queue::delivery_status("4.7.5", fmt::format("TLSA lookup error for {}:{}", server.name, to.port));
        co_return;
    }
    if (!has_secure_records(answer)) {
        give_way(policy, obstacle::destination, "no TLSA records found");
        co_return;
    }
    take_records(answer, asked, policy);
    if (policy.records.empty()) {
        give_way(policy, obstacle::unusable, "TLSA records unusable");
        co_return;
    }
    if (insecure_mx && with.insecure_mx == tls_level::encrypt) {
        policy.records.clear();
        policy.level = tls_level::encrypt;
        co_return;
    }
    policy.dane_only = policy.level == tls_level::dane_only;
    policy.half_dane = insecure_mx;
    policy.level = tls_level::dane;
    // The names that a trust anchor's certificates may carry (RFC 7672 3.2.2).
    policy.match_names = {base};
    if (server.from_mx) policy.match_names.push_back(to.domain);
}

}  // namespace mta::smtp
