// What restrictions ask the DNS: does a name exist, which hosts serve it (dns_lookup(3), getaddrinfo(3)).
#include <fmt/format.h>

#include <charconv>
#include <cstdint>

#include "mta/address/host_name.hpp"
#include "mta/address/quote.hpp"
#include "mta/smtpd/access_evaluation.hpp"
#include "mta/table/dns_reply_filter.hpp"
#include "mta/text/strings.hpp"

namespace mta::smtpd {
namespace {

// getaddrinfo(3) takes what inet_aton(3) takes: "1.2.3" is 1.2.0.3, "0x7f.1" is 127.0.0.1.
std::optional<std::string> address_of_number(std::string_view name) {
    constexpr std::size_t most_parts = 4;
    std::vector<std::uint64_t> parts;
    for (;;) {
        const std::string_view part = name.substr(0, name.find('.'));
        const bool hexadecimal = text::starts_with_ignoring_case(part, "0x");
        const std::string_view digits = part.substr(hexadecimal ? 2 : 0);
        const int base = hexadecimal ? 16 : part.size() > 1 && part.front() == '0' ? 8 : 10;
        std::uint64_t value = 0;
        const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), value, base);
        if (read.ec != std::errc() || read.ptr != digits.data() + digits.size()) return std::nullopt;
        parts.push_back(value);
        if (part.size() == name.size()) break;
        if (parts.size() == most_parts) return std::nullopt;
        name.remove_prefix(part.size() + 1);
    }
    // The last part fills what the others leave.
    constexpr int octet_bits = 8;
    std::uint64_t whole = parts.back();
    if (whole >> (octet_bits * (most_parts + 1 - parts.size())) != 0) return std::nullopt;
    for (std::size_t i = 0; i + 1 < parts.size(); ++i) {
        if (parts[i] > 0xff) return std::nullopt;
        whole |= parts[i] << (octet_bits * (most_parts - 1 - i));
    }
    return fmt::format("{}.{}.{}.{}", whole >> 24 & 0xff, whole >> 16 & 0xff, whole >> 8 & 0xff, whole & 0xff);
}

}  // namespace

std::vector<dns::record_type> evaluation::address_types() const {
    std::vector<dns::record_type> types;
    if (settings_.ipv4) types.push_back(dns::record_type::a);
    if (settings_.ipv6) types.push_back(dns::record_type::aaaa);
    return types;
}

// As getaddrinfo(3) asks, behind the back of smtpd_dns_reply_filter.
task<dns::response> evaluation::ask_unfiltered(std::string name, dns::record_type type) {
    const dns::question first{std::move(name), type};
    dns::lookup way(first);
    while (!way.done()) {
        const dns::question next = way.asked();
        dns::response reply = co_await mail_.host().resolve(next);
        way.feed(std::move(reply));
    }
    co_return way.result();
}

task<dns::response> evaluation::ask(std::string name, dns::record_type type) {
    dns::response got = co_await ask_unfiltered(std::move(name), type);
    const table::filtered_answer said = table::filter_answer(settings_.dns_filter, type, got);
    for (const std::string& each : said.ignored) mail_.log(by_, {}, maillog::remark{maillog::level::info, each});
    warn_all(said.warnings);
    co_return got;
}

// dns_lookup_l(3): the first type that has records; a name that does not exist ends it, and so do exchangers that a
// filter hides. What is hidden beats trouble, and trouble beats absence.
task<dns::response> evaluation::ask_all(std::string name, std::vector<dns::record_type> types) {
    dns::response last;
    last.state = dns::status::nodata;
    bool trouble = false, hidden = false;
    for (const dns::record_type each : types) {
        const dns::response got = co_await ask(name, each);
        last = got;
        const bool final = got.state != dns::status::nodata && got.state != dns::status::try_again &&
                           got.state != dns::status::failure && got.state != dns::status::bad_filter &&
                           (got.state != dns::status::filtered || each == dns::record_type::mx);
        hidden = hidden || got.state == dns::status::filtered;
        if (final) break;
        trouble = trouble || got.state == dns::status::try_again || got.state == dns::status::bad_filter;
    }
    if (!last.ok() && trouble) last.state = dns::status::try_again;
    if (!last.ok() && hidden) last.state = dns::status::filtered;
    co_return last;
}

task<evaluation::host_addresses> evaluation::addresses_of(std::string name) {
    host_addresses made;
    const auto literal = address::ip_address::parse(name);
    const std::optional<std::string> number = literal ? literal->to_string() : address_of_number(name);
    if (number) {
        made.addresses.push_back(*number);
        co_return made;
    }
    name = address::domain_to_ascii(name).value_or(name);
    if (name.size() > 1 && name.back() == '.') name.pop_back();
    if (text::equal_ignoring_case(name, "localhost")) {
        made.addresses.emplace_back("127.0.0.1");
        co_return made;
    }
    const std::vector<dns::record_type> types = address_types();
    dns::status worst = dns::status::nxdomain;
    for (const dns::record_type each : types) {
        const dns::response got = co_await ask_unfiltered(name, each);
        for (const dns::record& one : dns::records_of(got, each)) made.addresses.push_back(one.address);
        if (!got.ok()) worst = got.state;
    }
    if (made.addresses.empty()) {
        made.error = worst == dns::status::try_again ? "Temporary failure in name resolution"
                     : worst == dns::status::nodata  ? "No address associated with hostname"
                     : worst == dns::status::failure ? "Non-recoverable failure in name resolution"
                                                     : "Name or service not known";
    }
    co_return made;
}

task<verdict> evaluation::reject_unknown_helo_hostname(const call&) {
    if (facts_.helo.empty()) co_return verdict::dunno;
    const subject about = subject_of(party::helo);
    if (facts_.helo.front() == '[') co_return reject_invalid_literal(facts_.helo, about);
    std::vector<dns::record_type> types = address_types();
    types.push_back(dns::record_type::mx);
    const dns::response got = co_await ask_all(facts_.helo, types);
    if (got.ok() || got.state == dns::status::null_mx) co_return verdict::dunno;
    if (got.state == dns::status::filtered) {
        warn(fmt::format("{}: address or MX lookup error: DNS reply filter drops all results", facts_.helo));
        co_return verdict::dunno;
    }
    const std::string why = fmt::format("<{}>: Helo command rejected: Host not found", facts_.helo);
    if (got.state == dns::status::try_again) co_return maybe(settings_.unknown_helo, 450, "4.7.1", why);
    co_return refuse(refusal_cause::policy, settings_.unknown_hostname_code, "4.7.1", why);
}

// A sender or recipient domain must take mail, unless we are its last stop.
task<verdict> evaluation::reject_unknown_address(const call& c) {
    const std::string* given = address_of(c.what.whose);
    if (!given) co_return verdict::dunno;
    const subject about = subject_of(c.what.whose);
    const bool of_sender = c.what.whose == party::sender;
    const auto to = resolve(counterpart(about.about), *given);
    if (to->flags.failed) co_return lookup_error(about.name);
    const auto at = to->recipient.rfind('@');
    const bool final = to->domain == address::domain_class::local ||
                       to->domain == address::domain_class::virtual_alias ||
                       to->domain == address::domain_class::virtual_mailbox;
    if (at == std::string::npos || final) co_return verdict::dunno;
    const std::string domain = to->recipient.substr(at + 1);
    if (!domain.empty() && domain.front() == '[' && domain.back() == ']') co_return verdict::dunno;
    std::vector<dns::record_type> types = {dns::record_type::mx};
    for (const dns::record_type each : address_types()) types.push_back(each);
    const dns::response got = co_await ask_all(address::domain_to_ascii(domain).value_or(domain), types);
    if (got.ok()) co_return verdict::dunno;
    if (got.state == dns::status::filtered) {
        warn(fmt::format("{}: MX or address lookup error: DNS reply filter drops all results", domain));
        co_return verdict::dunno;
    }
    if (got.state == dns::status::null_mx) {
        co_return refuse_about(of_sender ? 550 : 556, of_sender ? "4.7.27" : "4.1.10", about.name, about.about,
                               fmt::format("Domain {} does not accept mail (nullMX)", domain));
    }
    const std::string_view dsn = of_sender ? "4.1.8" : "4.1.2";
    const std::string why = fmt::format("<{}>: {} rejected: Domain not found", about.name, name_of(about.about));
    if (got.state == dns::status::try_again) co_return maybe(settings_.unknown_address, 450, dsn, why);
    co_return refuse(refusal_cause::policy, settings_.unknown_address_code, dsn, why);
}

// check_*_mx_access, check_*_ns_access, check_*_a_access: the table is asked for the names and addresses of the
// domain's servers.
task<verdict> evaluation::check_server_access(const call& c) {
    const std::string* value = value_of(c.what.whose);
    if (!value) co_return verdict::dunno;
    const subject named = subject_of(c.what.whose);
    const subject about{named.name, named.about, c.about.default_check};
    const dns::record_type type = c.what.type;
    const auto at = value->rfind('@');
    const std::string whole = at == std::string::npos ? *value : value->substr(at + 1);

    // An address literal is its own mail server; nobody serves its name.
    if (!whole.empty() && whole.front() == '[') {
        if (type == dns::record_type::ns || whole.back() != ']') co_return verdict::dunno;
        const auto literal = address::ip_address::parse_literal(whole);
        if (!literal) co_return verdict::dunno;
        const found_entry got = co_await look_up_network(c.argument, literal->to_string(), about);
        co_return forbid_permit(c, got.what, *value);
    }

    std::vector<std::string> servers;
    if (type == dns::record_type::a) {
        servers.push_back(whole);
    } else {
        std::string domain = address::domain_to_ascii(whole).value_or(whole);
        dns::response got = co_await ask(domain, type);
        if (got.state == dns::status::null_mx) co_return verdict::dunno;
        bool shown_whole = false;
        if (got.not_found() || got.state == dns::status::invalid_name) {
            if (type == dns::record_type::mx) {
                servers.push_back(domain);
            } else {
                // The servers of a host are those of the zone it is in.
                for (;;) {
                    const auto dot = domain.find('.');
                    if (dot == std::string::npos || dot + 1 == domain.size()) {
                        shown_whole = true;
                        break;
                    }
                    domain.erase(0, dot + 1);
                    got = co_await ask(domain, type);
                    if (!got.not_found()) break;
                }
            }
        }
        for (const dns::record& each : dns::records_of(got, type)) servers.push_back(each.target);
        if (servers.empty()) {
            const dns::status state = got.state == dns::status::invalid_name ? dns::status::nxdomain : got.state;
            warn(fmt::format("Unable to look up {} host for {}: {}", dns::name_of(type),
                             shown_whole || domain.size() < 2 ? *value : domain, dns::text_of(state)));
            co_return verdict::dunno;
        }
    }
    for (const std::string& server : servers) {
        // Who asks for addresses alone does not ask for the name.
        if (type != dns::record_type::a) {
            const found_entry by_name = co_await look_up_domain(c.argument, server, about);
            if (by_name.found || by_name.what != verdict::dunno) co_return forbid_permit(c, by_name.what, *value);
        }
        const host_addresses found = co_await addresses_of(server);
        if (found.addresses.empty()) {
            if (type != dns::record_type::a) {
                warn(fmt::format("Unable to look up {} host {} for {} {}: {}", dns::name_of(type), server,
                                 name_of(about.about), about.name, found.error));
            }
            continue;
        }
        for (const std::string& one : found.addresses) {
            const found_entry by_address = co_await look_up_network(c.argument, one, about);
            if (by_address.found || by_address.what != verdict::dunno)
                co_return forbid_permit(c, by_address.what, *value);
        }
    }
    co_return verdict::dunno;
}

}  // namespace mta::smtpd
