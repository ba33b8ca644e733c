#include "mta/smtp/tls_policy.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "mta/dns.hpp"
#include "mta/master/mail_system.hpp"
#include "mta/smtp/tls_policy_attributes.hpp"
#include "mta/text/strings.hpp"
#include "mta/tls/trust_anchors.hpp"

namespace mta::smtp {
namespace {

constexpr std::string_view level_names[] = {"none", "may",       "encrypt", "fingerprint",
                                            "dane", "dane-only", "verify",  "secure"};

// smtp_tls_security_level, or what the older smtp_use_tls and smtp_enforce_tls mean.
tls_level configured_level(const config::parameters& p, const std::string& prefix) {
    const std::string text = p.text(prefix + "tls_security_level");
    if (!text.empty()) {
        const auto found = tls_level_named(text);
        if (!found) throw config::fatal(p.where(prefix + "tls_security_level"), "Invalid TLS level \"" + text + "\"");
        return *found;
    }
    if (p.flag(prefix + "enforce_tls"))
        return p.flag(prefix + "tls_enforce_peername") ? tls_level::verify : tls_level::encrypt;
    return p.flag(prefix + "use_tls") ? tls_level::may : tls_level::none;
}

}  // namespace

std::optional<tls_level> tls_level_named(std::string_view name) {
    const auto found = std::find_if(std::begin(level_names), std::end(level_names),
                                    [&](std::string_view each) { return text::equal_ignoring_case(each, name); });
    if (found == std::end(level_names)) return std::nullopt;
    return static_cast<tls_level>(found - std::begin(level_names));
}

std::string_view name_of(tls_level level) {
    return level_names[static_cast<std::size_t>(level)];
}

tls::security_level tls_policy::security() const {
    switch (level) {
        case tls_level::none:
        case tls_level::may:
            return tls::security_level::may;
        case tls_level::encrypt:
            return tls::security_level::encrypt;
        case tls_level::fingerprint:
            return tls::security_level::fingerprint;
        case tls_level::dane:
        case tls_level::dane_only:
            return tls::security_level::dane;
        case tls_level::verify:
            return tls::security_level::verify;
        case tls_level::secure:
            break;
    }
    return tls::security_level::secure;
}

tls_policies::tls_policies(master::mail_system& mail, const config::parameters& p, const std::string& prefix)
    : prefix_(prefix), level_(configured_level(p, prefix)), mail_(mail) {
    const std::string tls = prefix + "tls_";
    std::vector<table::diagnostic> complaints;
    const auto open = [&](const std::string& name) {
        return table::maps::open(name, p.text(name), mail.shared().tables, mail.table_environment(p), {}, complaints);
    };
    policies_ = open(tls + "policy_maps");
    per_site_ = policies_.empty() ? open(tls + "per_site") : table::maps();
    for (const table::diagnostic& each : complaints) mail.log(mail.process_of("smtp"), each);
    protocols_ = p.text(tls + "protocols");
    mandatory_protocols_ = p.text(tls + "mandatory_protocols");
    ciphers_ = p.text(tls + "ciphers");
    mandatory_ciphers_ = p.text(tls + "mandatory_ciphers");
    exclude_ = p.text(tls + "exclude_ciphers");
    mandatory_exclude_ = p.text(tls + "mandatory_exclude_ciphers");
    server_name_ = p.text(tls + "servername");
    append_words(verify_names_, p.text(tls + "verify_cert_match"), ", \t\r\n:");
    append_words(secure_names_, p.text(tls + "secure_cert_match"), ", \t\r\n:");
    append_words(fingerprints_, p.text(tls + "fingerprint_cert_match"), ", \t\r\n|");
    append_words(anchor_files_, p.text(tls + "trust_anchor_file"), ", \t\r\n");
}

tls_policy tls_policies::find(std::string_view destination, std::string_view host) const {
    tls_policy policy;
    policy.level = level_;
    std::optional<tls_level> own;
    if (!policies_.empty()) {
        own = look_up_all(policy, destination);
    } else if (!per_site_.empty()) {
        own = per_site(policy, own, destination, "next-hop destination");
        if (!policy.failure && !text::equal_ignoring_case(destination, host))
            own = per_site(policy, own, host, "server hostname");
        // What main.cf says is more to the point than a mere "may".
        if (own == tls_level::may && level_ > tls_level::may) own = level_;
    }
    if (own) policy.level = *own;
    return policy;
}

void tls_policies::complete(tls_policy& policy, std::string_view destination) const {
    if (policy.failure || !policy.wanted()) return;
    const bool mandatory = policy.required();
    if (policy.protocols.empty()) policy.protocols = mandatory ? mandatory_protocols_ : protocols_;
    if (policy.ciphers.empty()) policy.ciphers = mandatory ? mandatory_ciphers_ : ciphers_;
    if (!policy.exclude) policy.exclude = mandatory ? exclude_ + " " + mandatory_exclude_ : exclude_;
    if (policy.level == tls_level::encrypt) *policy.exclude += " eNULL";
    if (policy.server_name.empty()) policy.server_name = server_name_;
    if (policy.level == tls_level::fingerprint && policy.fingerprints.empty()) {
        policy.fingerprints = fingerprints_;
        if (!policy.fingerprints.empty()) return;
        policy.warnings.push_back(
            fmt::format("nexthop domain {}: configured at fingerprint security level, but with no fingerprints to "
                        "match.",
                        destination));
        policy.fail();
    }
    if (policy.level == tls_level::verify && policy.match_names.empty()) policy.match_names = verify_names_;
    if (policy.level == tls_level::secure && policy.match_names.empty()) policy.match_names = secure_names_;
    if (policy.level >= tls_level::verify) take_anchors(policy);
}

// Trust anchors that cannot be had are no reason to trust others.
void tls_policies::take_anchors(tls_policy& policy) const {
    for (const std::string& each : policy.anchor_files.empty() ? anchor_files_ : policy.anchor_files) {
        const auto text = mail_.host().read_file(each);
        if (!text) {
            policy.warnings.push_back(
                fmt::format("error opening trust anchor file: {}: No such file or directory", each));
            return policy.fail();
        }
        tls::trust_anchors found = tls::read_trust_anchors(*text);
        if (!found.good) return policy.fail();
        std::move(found.records.begin(), found.records.end(), std::back_inserter(policy.records));
    }
}

// A next hop with brackets or a port is its own key only; a domain has its parents.
std::optional<tls_level> tls_policies::look_up_all(tls_policy& into, std::string_view destination) const {
    if (!dns::is_valid_hostname(destination)) return look_up(into, destination);
    std::optional<tls_level> found = look_up(into, destination);
    for (std::size_t dot = destination.find('.', 1); !found && !into.failure && dot != std::string_view::npos;
         dot = destination.find('.', dot + 1)) {
        found = look_up(into, destination.substr(dot));
    }
    return found;
}

std::optional<tls_level> tls_policies::look_up(tls_policy& into, std::string_view name) const {
    const table::match hit = policies_.find(name);
    if (hit.failed()) {
        into.warnings.push_back(
            fmt::format("{}, next-hop destination \"{}\": policy table lookup error", policies_.title(), name));
        into.failure = queue::delivery_status("4.3.0", "Temporary lookup error");
        return std::nullopt;
    }
    if (!hit.found()) return std::nullopt;
    const auto complain = [&](const std::string& what) {
        into.warnings.push_back(fmt::format("{}, next-hop destination \"{}\": {}", policies_.title(), name, what));
    };
    const auto words = text::split(hit.result.value, text::comma_or_space);
    if (words.empty()) {
        complain("invalid empty policy");
        into.fail();
        return std::nullopt;
    }
    const auto level = tls_level_named(words[0]);
    if (!level) {
        complain(fmt::format("invalid security level \"{}\"", words[0]));
        into.fail();
        return std::nullopt;
    }
    attribute_reader attributes(into, *level);
    for (std::size_t i = 1; i < words.size(); ++i) {
        if (*level == tls_level::none) {
            complain(fmt::format("ignoring attribute \"{}\" with TLS disabled", words[i]));
            continue;
        }
        const std::string problem = attributes.read(words[i]);
        if (problem.empty()) continue;
        complain(problem);
        into.fail();
        return std::nullopt;
    }
    return level;
}

std::optional<tls_level> tls_policies::per_site(tls_policy& into, std::optional<tls_level> so_far,
                                                std::string_view name, std::string_view what) const {
    const table::match hit = per_site_.find(name);
    if (hit.failed()) {
        into.warnings.push_back(
            fmt::format("{}: {} \"{}\": per-site table lookup error", per_site_.title(), what, name));
        into.failure = queue::delivery_status("4.3.0", "Temporary lookup error");
        return so_far;
    }
    if (!hit.found()) return so_far;
    const std::string& value = hit.result.value;
    const auto at_least = [&](tls_level level) { return !so_far || *so_far < level ? level : *so_far; };
    if (text::equal_ignoring_case(value, "NONE"))
        return !so_far || *so_far <= tls_level::may ? tls_level::none : *so_far;
    if (text::equal_ignoring_case(value, "MAY")) return so_far ? *so_far : tls_level::may;
    if (text::equal_ignoring_case(value, "MUST_NOPEERMATCH")) return at_least(tls_level::encrypt);
    if (text::equal_ignoring_case(value, "MUST")) return at_least(tls_level::verify);
    into.warnings.push_back(fmt::format("{}: unknown TLS policy '{}' for {} {}", per_site_.title(), value, what, name));
    into.fail();
    return so_far;
}

}  // namespace mta::smtp
