#include "mta/smtp/sasl_settings.hpp"

#include "mta/master/mail_system.hpp"
#include "mta/text/strings.hpp"

namespace mta::smtp {

sasl_settings::sasl_settings(master::mail_system& mail, const config::parameters& p, const std::string& prefix,
                             bool lmtp)
    : enabled(p.flag(prefix + "sasl_auth_enable")) {
    if (!enabled) return;
    if (p.text(prefix + "sasl_password_maps").empty()) {
        throw config::fatal(p.where(prefix + "sasl_password_maps"), "specify a password table via the `" + prefix +
                                                                        "sasl_password_maps' configuration parameter");
    }
    std::vector<table::diagnostic> complaints;
    passwords = table::maps::open(prefix + "sasl_password_maps", p.text(prefix + "sasl_password_maps"),
                                  mail.shared().tables, mail.table_environment(p), {}, complaints);
    const std::string filter = p.text(prefix + "sasl_mechanism_filter");
    if (!filter.empty()) {
        mechanism_filter.emplace(prefix + "sasl_mechanism_filter", filter, mail.shared().tables,
                                 mail.table_environment(p), complaints, table::parent_style::dot_parent);
    }
    for (const table::diagnostic& each : complaints) mail.log(mail.process_of(lmtp ? "lmtp" : "smtp"), each);
    by_sender = !lmtp && p.flag("smtp_sender_dependent_authentication");
    sender_rules.recipient_delimiter = {p.text("recipient_delimiter"), p.flag("owner_request_special")};
    soft_bounce = p.flag(prefix + "sasl_auth_soft_bounce");
    options = p.text(prefix + "sasl_security_options");
    tls_options = p.text(prefix + "sasl_tls_security_options");
    verified_tls_options = p.text(prefix + "sasl_tls_verified_security_options");
    const std::string cache = p.text(prefix + "sasl_auth_cache_name");
    if (!cache.empty() && !text::starts_with_ignoring_case(cache, "proxy:")) {
        throw config::fatal(p.where(prefix + "sasl_auth_cache_name"),
                            "SASL authentication cache name \"" + cache + "\" must start with \"proxy:");
    }
    remembers_failures = !cache.empty();
    memory = p.duration(prefix + "sasl_auth_cache_time");
}

std::optional<sasl::credentials> sasl_settings::find(std::string_view sender, std::string_view host,
                                                     std::string_view destination, bool& failed) const {
    table::match hit;
    if (by_sender && !sender.empty()) hit = table::find_address(passwords, sender, sender_rules);
    for (const std::string_view key : {host, destination}) {
        if (hit.found() || hit.failed()) break;
        hit = passwords.find(key);
    }
    failed = hit.failed();
    if (!hit.found()) return std::nullopt;
    sasl::credentials who;
    const std::size_t colon = hit.result.value.find(':');
    who.user = hit.result.value.substr(0, colon);
    if (colon != std::string::npos) who.password = hit.result.value.substr(colon + 1);
    return who;
}

std::string sasl_settings::usable(std::string_view offered) const {
    std::string out;
    for (const std::string_view each : text::split(offered, " \t")) {
        if (mechanism_filter && !mechanism_filter->match(each).matched()) continue;
        if (!out.empty()) out += ' ';
        out += each;
    }
    return out;
}

const login_failures::entry* login_failures::find(const std::string& host, const sasl::credentials& who,
                                                  time_point now) const {
    const auto found = by_login_.find({host, who.user});
    const bool holds = found != by_login_.end() && found->second.password == who.password && now < found->second.until;
    return holds ? &found->second : nullptr;
}

void login_failures::remember(const std::string& host, const sasl::credentials& who, entry what) {
    by_login_[{host, who.user}] = std::move(what);
}

}  // namespace mta::smtp
