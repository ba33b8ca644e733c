#include "mta/smtp/dane.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "mta/dns.hpp"
#include "mta/host.hpp"
#include "mta/text/strings.hpp"

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

bool is_usable(const dns::tlsa_fields& record) {
    const bool known = (record.usage == 2 || record.usage == 3) && record.selector <= 1 && record.matching <= 2;
    constexpr std::size_t lengths[] = {0, 32, 64};  // of the whole, of SHA-256, of SHA-512
    return known && (record.matching == 0 ? !record.data.empty() : record.data.size() == lengths[record.matching]);
}

// The names that a trust anchor's certificates may carry (RFC 7672 3.2.2).
void add_reference_names(tls_policy& policy, const next_hop& to, const candidate& server) {
    policy.match_names = {server.name};
    if (server.from_mx) policy.match_names.push_back(to.domain);
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
    dns::response answer;
    answer.state = dns::status::nodata;
    if (server.is_secure || with.asks_insecure_hosts) {
        dns::question question;
        question.name = fmt::format("_{}._tcp.{}", to.port, server.name);
        question.type = dns::record_type::tlsa;
        dns::lookup way(std::move(question));
        while (!way.done()) {
            dns::response next = co_await host.resolve(way.asked());
            way.feed(std::move(next));
        }
        answer = way.result();
    }
    if (!answer.ok() && !answer.not_found()) {
        policy.failure =
            queue::delivery_status("4.7.5", fmt::format("TLSA lookup error for {}:{}", server.name, to.port));
        co_return;
    }
    const auto records = dns::records_of(answer, dns::record_type::tlsa);
    if (records.empty() || !answer.authenticated) {
        give_way(policy, obstacle::destination, "no TLSA records found");
        co_return;
    }
    bool any_anchor = false;
    for (const dns::record& each : records) {
        if (!is_usable(each.tlsa)) continue;
        any_anchor |= each.tlsa.usage == 2;
        policy.records.push_back({each.tlsa.usage, each.tlsa.selector, each.tlsa.matching, each.tlsa.data});
    }
    if (policy.records.empty()) {
        give_way(policy, obstacle::unusable, "TLSA records unusable");
        co_return;
    }
    if (insecure_mx && with.insecure_mx == tls_level::encrypt) {
        policy.records.clear();
        policy.level = tls_level::encrypt;
        co_return;
    }
    policy.level = tls_level::dane;
    if (any_anchor) add_reference_names(policy, to, server);
}

}  // namespace mta::smtp
