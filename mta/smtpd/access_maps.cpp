// check_*_access: which keys of a session are looked up in an access table, and in what order (access(5)).
#include <fmt/format.h>

#include "mta/address/host_name.hpp"
#include "mta/address/smtp_command.hpp"
#include "mta/smtpd/access_evaluation.hpp"
#include "mta/table/lookup_order.hpp"
#include "mta/text/strings.hpp"

namespace mta::smtpd {
namespace {

constexpr std::string_view server_misconfigured = "451 4.3.5 Server configuration error";

}  // namespace

const table::maps* evaluation::access_table(std::string_view spec) {
    const auto found = settings_.access_tables.find(spec);
    return found == settings_.access_tables.end() ? nullptr : &found->second;
}

// A table that fails is a refusal, as if it had said so.
task<verdict> evaluation::act_on(table::match found, std::string_view spec, std::string datum, const subject& about,
                                 bool suspicious) {
    warn_all(found.result.warnings);
    if (!found.found() && !found.failed()) co_return verdict::dunno;
    if (found.failed()) {
        const verdict failed = co_await act(spec, std::string(server_misconfigured), std::move(datum), about);
        co_return failed;
    }
    said_.key = found.key;
    said_.table = found.table;
    said_.value = found.result.value;
    said_.where = found.result.where;
    said_.asked = datum;
    const auto said = said_;
    const verdict got = co_await act(spec, found.result.value, std::move(datum), about);
    const std::string status = said_.status, text = said_.text;
    said_ = said;
    said_.status = status;
    said_.text = text;
    // Source routes are too clever to be allowed by a table.
    co_return got == verdict::permit&& suspicious ? verdict::dunno : got;
}

// What is written where a table belongs is none: "{ hash:x }" for "hash:x", say.
task<verdict> evaluation::no_table(std::string_view asking, std::string_view spec, std::string_view datum,
                                   const subject& about) {
    warn(fmt::format("{}: unexpected dictionary: {}", asking, spec));
    std::string value(server_misconfigured), asked(datum);
    const verdict got = co_await act(spec, std::move(value), std::move(asked), about);
    co_return got;
}

task<evaluation::found_entry> evaluation::look_up_domain(std::string_view spec, std::string_view domain,
                                                         const subject& about) {
    const table::maps* maps = access_table(spec);
    if (!maps) {
        const verdict none = co_await no_table("check_domain_access", spec, domain, about);
        co_return found_entry{none, true};
    }
    table::match found = table::find_access_domain(*maps, domain, settings_.access_style);
    const bool hit = found.found() || found.failed();
    const verdict got = co_await act_on(std::move(found), spec, std::string(domain), about, false);
    co_return found_entry{got, hit};
}

task<evaluation::found_entry> evaluation::look_up_network(std::string_view spec, std::string_view address,
                                                          const subject& about) {
    const table::maps* maps = access_table(spec);
    if (!maps) {
        const verdict none = co_await no_table("check_addr_access", spec, address, about);
        co_return found_entry{none, true};
    }
    table::match found = table::find_access_network(*maps, address);
    const bool hit = found.found() || found.failed();
    const verdict got = co_await act_on(std::move(found), spec, std::string(address), about, false);
    co_return found_entry{got, hit};
}

task<verdict> evaluation::check_client_access(const call& c) {
    const table::maps* maps = access_table(c.argument);
    const bool unverified = c.what.whose == party::unverified_client;
    const std::string& name = unverified ? facts_.client->reverse_name : facts_.client->name;
    const subject named = subject_of(c.what.whose);
    const subject about{named.name, named.about, c.about.default_check};
    if (!maps) {
        const verdict none = co_await no_table("check_domain_access", c.argument, name, about);
        co_return none;
    }
    table::match found = table::find_access_domain(*maps, name, settings_.access_style);
    const bool by_name = found.result.status != table::outcome::not_found;
    warn_all(by_name ? std::vector<std::string>() : found.result.warnings);
    if (!by_name) found = table::find_access_network(*maps, facts_.client->address);
    const std::string& datum = by_name ? name : facts_.client->address;
    const verdict got = co_await act_on(std::move(found), c.argument, datum, about, false);
    co_return unverified ? forbid_permit(c, got, name) : got;
}

task<verdict> evaluation::check_helo_access(const call& c) {
    if (facts_.helo.empty()) co_return verdict::dunno;
    const subject about{facts_.helo, reply_class::helo, c.about.default_check};
    const found_entry got = co_await look_up_domain(c.argument, facts_.helo, about);
    co_return got.what;
}

task<verdict> evaluation::check_etrn_access(const call& c) {
    if (facts_.etrn_domain.empty()) co_return verdict::dunno;
    const subject about{facts_.etrn_domain, reply_class::etrn, c.about.default_check};
    const found_entry got = co_await look_up_domain(c.argument, facts_.etrn_domain, about);
    co_return got.what;
}

task<verdict> evaluation::check_address_access(const call& c) {
    const bool of_sender = c.what.whose == party::sender;
    const std::optional<std::string>& address = of_sender ? sender_ : recipient_;
    const table::maps* maps = access_table(c.argument);
    if (!address || (address->empty() && !of_sender)) co_return verdict::dunno;
    const subject about{*address, of_sender ? reply_class::sender : reply_class::recipient, c.about.default_check};
    if (!maps) {
        const std::string_view asking = address->empty() ? "check_access" : "check_mail_access";
        const verdict none = co_await no_table(asking, c.argument, *address, about);
        co_return none;
    }
    if (address->empty()) {
        table::match null_found = maps->find(settings_.null_key);
        const verdict null_got = co_await act_on(std::move(null_found), c.argument, settings_.null_key, about, false);
        co_return null_got;
    }
    const auto to = resolve(counterpart(about.about), *address);
    if (to->flags.failed) co_return lookup_error(*address);
    if (to->recipient.find('@') == std::string::npos) {
        warn(fmt::format("check_mail_access: no @domain in address: {}", to->recipient));
        co_return verdict::dunno;
    }
    const bool suspicious = !settings_.allow_untrusted_routing && to->flags.routed && !of_sender;
    table::match found = table::find_access_address(*maps, to->recipient, settings_.delimiters(),
                                                    settings_.access_style, settings_.null_key);
    const verdict got = co_await act_on(std::move(found), c.argument, to->recipient, about, suspicious);
    co_return got;
}

task<verdict> evaluation::check_ccert_access(const call& c) {
    const table::maps* maps = access_table(c.argument);
    const subject about{facts_.client->name_and_address(), reply_class::certificate, c.about.default_check};
    if (!maps) co_return configuration_error();
    if (!facts_.tls || !facts_.certificate.present) co_return verdict::dunno;
    const auto told = settings_.certificate_searches.find(c.argument);
    const bool usual = told == settings_.certificate_searches.end();
    const std::string_view spec = usual ? c.argument : std::string_view(told->second.table);
    for (const bool by_public_key : usual ? std::vector<bool>{false, true} : told->second.by_public_key) {
        const std::string& print =
            by_public_key ? facts_.certificate.public_key_fingerprint : facts_.certificate.fingerprint;
        table::match found = maps->find(print);
        const verdict got = co_await act_on(std::move(found), spec, print, about, false);
        if (got != verdict::dunno) co_return got;
    }
    co_return verdict::dunno;
}

task<verdict> evaluation::check_sasl_access(const call& c) {
    if (!settings_.sasl_enabled) {
        warn(fmt::format("restriction `{}' ignored: no SASL support", c.what.name));
        co_return verdict::dunno;
    }
    const table::maps* maps = access_table(c.argument);
    if (!maps) co_return configuration_error();
    if (facts_.sasl_username.empty()) co_return verdict::dunno;
    std::string name = facts_.sasl_username;
    for (char& each : name) {
        if (static_cast<unsigned char>(each) < ' ' || each == 0x7f) each = '_';
    }
    const subject about{name, reply_class::sasl_login, c.about.default_check};
    table::match found = maps->find(name);
    const verdict got = co_await act_on(std::move(found), c.argument, name, about, false);
    co_return got;
}

}  // namespace mta::smtpd
