// Lists in the DNS: reject_rbl_client, reject_rhsbl_*, permit_dnswl_client, permit_rhswl_client (postconf(5), RFC
// 5782).
#include <fmt/format.h>

#include "mta/smtpd/access_evaluation.hpp"
#include "mta/smtpd/dnsbl_filter.hpp"
#include "mta/text/strings.hpp"

namespace mta::smtpd {
namespace {

constexpr std::size_t longest_text = 500;  // of the TXT records together
constexpr std::size_t most_answers = 100;  // that a process remembers

std::string_view list_domain(std::string_view list) {
    return list.substr(0, list.find('='));
}

std::string joined_text(const dns::response& got) {
    std::string out;
    for (const dns::record& each : dns::records_of(got, dns::record_type::txt)) {
        if (out.size() >= longest_text) break;
        constexpr std::string_view between = " / ";
        if (!out.empty() && longest_text - out.size() > between.size()) out += between;
        // Of each record its first string, and of that what ASCII prints.
        if (each.text.empty()) continue;
        for (const char octet : each.text.front()) out += octet < ' ' || octet > '~' ? ' ' : octet;
    }
    if (out.size() > longest_text) out.resize(longest_text);
    return out;
}

// The domain of a name or address, or "" where lists have nothing to say: literals and what ends in a number.
std::string_view listable_domain(std::string_view what) {
    const auto at = what.rfind('@');
    std::string_view domain = at == std::string_view::npos ? what : what.substr(at + 1);
    if (domain.empty() || domain.front() == '[') return {};
    const std::string_view last = domain.substr(domain.rfind('.') + 1);
    for (const char each : last) {
        if (!text::is_digit(each)) return domain;
    }
    return {};
}

}  // namespace

// What a process learned it keeps.
task<const dnsbl_answer*> evaluation::ask_list(std::string query) {
    const std::string key = text::lowered(query);
    auto& known = settings_.process(by_.pid).dnsbl;
    const auto found = known.find(key);
    if (found != known.end()) co_return &found->second;
    dnsbl_answer made;
    const dns::question question{query, dns::record_type::a};
    const dns::response got = co_await ask(query, dns::record_type::a);
    if (got.ok()) {
        made.listed = true;
        for (const dns::record& each : dns::records_of(got, dns::record_type::a))
            made.addresses.push_back(each.address);
        const dns::question reason{query, dns::record_type::txt};
        const dns::response why = co_await ask(query, dns::record_type::txt);
        made.text = joined_text(why);
        if (why.state == dns::status::filtered || why.state == dns::status::bad_filter)
            warn(fmt::format("{}: TXT lookup error: {}", query, dns::explain(reason, why.state)));
    } else if (!got.not_found()) {
        made.failed = true;
        warn(fmt::format("{}: RBL lookup error: {}", query, dns::explain(question, got.state)));
    }
    auto& now_known = settings_.process(by_.pid).dnsbl;
    if (now_known.size() >= most_answers) now_known.clear();
    co_return &now_known.insert_or_assign(key, std::move(made)).first->second;
}

task<evaluation::list_hit> evaluation::ask_filtered(std::string query, std::string_view list) {
    list_hit hit;
    const dnsbl_answer* answer = co_await ask_list(std::move(query));
    hit.answer = answer;
    hit.failed = answer->failed;
    const auto equals = list.find('=');
    if (equals == std::string_view::npos) {
        hit.listed = answer->listed;
        co_return hit;
    }
    const dnsbl_filter::parsed filter = dnsbl_filter::parse(list.substr(equals + 1));
    if (!filter.filter) {
        die(fmt::format("RBL reply error: {}", filter.error));
        co_return hit;
    }
    for (const std::string& each : answer->addresses) hit.listed = hit.listed || filter.filter->matches(each);
    co_return hit;
}

// The $names of rbl_reply_maps, default_rbl_reply and smtpd_reject_footer.
std::optional<std::string> evaluation::reply_value(std::string_view name, const access_facts& facts,
                                                   const access_settings& settings) {
    const peer& client = *facts.client;
    if (name == "client") return client.name_and_address();
    if (name == "client_address") return client.address;
    if (name == "client_name") return client.name;
    if (name == "client_port") return std::to_string(client.port);
    if (name == "reverse_client_name") return client.reverse_name;
    if (name == "helo_name") return facts.helo;
    if (name == "server_name") return settings.myhostname;
    const auto part = [](const std::optional<std::string>& address,
                         std::string_view which) -> std::optional<std::string> {
        if (!address) return std::string();
        const auto at = address->rfind('@');
        if (which == "name") return address->empty() ? "<>" : address->substr(0, at);
        if (which == "domain") return at == std::string::npos ? std::string() : address->substr(at + 1);
        return address->empty() ? std::string("<>") : *address;
    };
    for (const bool of_sender : {true, false}) {
        const std::string_view prefix = of_sender ? "sender" : "recipient";
        if (name.substr(0, prefix.size()) != prefix) continue;
        const std::string_view rest = name.substr(prefix.size());
        const auto& address = of_sender ? facts.sender : facts.recipient;
        if (rest.empty()) return part(address, {});
        if (rest == "_name" || rest == "_domain") return part(address, rest.substr(1));
    }
    return std::nullopt;
}

std::optional<std::string> evaluation::reply_value(std::string_view name) const {
    access_facts judged = facts_;
    judged.recipient = recipient_;  // none where the whole message is judged and has several
    return reply_value(name, judged, settings_);
}

verdict evaluation::reject_listed(const dnsbl_answer& answer, std::string_view list, std::string_view what,
                                  reply_class about) {
    const std::string_view domain = list_domain(list);
    const reply_lookup find = [&](std::string_view name) -> std::optional<std::string> {
        if (name == "rbl_code") return std::to_string(settings_.maps_rbl_code);
        if (name == "rbl_domain") return std::string(domain);
        if (name == "rbl_reason" || name == "rbl_txt") return answer.text;
        if (name == "rbl_what") return std::string(what);
        if (name == "rbl_class") return std::string(name_of(about));
        return reply_value(name);
    };
    std::string pattern = settings_.default_rbl_reply;
    if (!settings_.rbl_replies.empty()) {
        const table::match found = settings_.rbl_replies.find(list);
        warn_all(found.result.warnings);
        if (found.failed()) return configuration_error();
        if (found.found()) pattern = found.result.value;
    }
    expansion made = expand_reply(pattern, find, settings_.expansion_filter);
    for (const std::string& each : made.unknown)
        warn(fmt::format("unknown macro name \"{}\" in expansion request", each));
    const bool unusable = made.bad || !made.unknown.empty();
    if (unusable && pattern == settings_.default_rbl_reply) {
        die(fmt::format("rbl_reject_reply: bad default rbl reply template: {}", pattern));
        return verdict::reject;
    }
    if (unusable) {
        warn(fmt::format("rbl_reject_reply: bad rbl reply template for domain {}: {}", list, pattern));
        made = expand_reply(settings_.default_rbl_reply, find, settings_.expansion_filter);
    }
    const std::string& reply = made.text;
    const bool coded = reply.size() > 3 && (reply[0] == '4' || reply[0] == '5') && text::is_digit(reply[1]) &&
                       text::is_digit(reply[2]) && reply[3] == ' ';
    if (!coded) {
        warn(fmt::format("rbl response code configuration error: {}", reply));
        return refuse(refusal_cause::policy, 450, "4.7.1", "Service unavailable");
    }
    const int code = static_cast<int>(text::to_number(reply.substr(0, 3)).value_or(0));
    const status_and_text said = split_status(std::string_view(reply).substr(4), "4.7.1");
    return refuse(refusal_cause::policy, code, fitting_status(said.status, about),
                  said.text.empty() ? std::string_view("Service unavailable") : said.text);
}

task<verdict> evaluation::reject_rbl_client(const call& c) {
    const auto query = dns::dnsbl_name(facts_.client->address, list_domain(c.argument));
    if (!query) co_return verdict::dunno;
    const list_hit hit = co_await ask_filtered(*query, c.argument);
    if (process_dies_) co_return verdict::reject;
    if (!hit.listed) co_return verdict::dunno;
    co_return reject_listed(*hit.answer, c.argument, facts_.client->address, reply_class::client);
}

task<verdict> evaluation::reject_maps_rbl(const call& c) {
    warn_once("reject_maps_rbl", fmt::format("support for restriction \"reject_maps_rbl\" will be removed from {}; use "
                                             "\"reject_rbl_client domain-name\" instead",
                                             settings_.mail_name));
    for (const std::string_view each : text::split(settings_.maps_rbl_domains, text::comma_or_space)) {
        const call one{c.what, each, c.about};
        const verdict got = co_await reject_rbl_client(one);
        if (got != verdict::dunno) co_return got;
    }
    co_return verdict::dunno;
}

task<verdict> evaluation::reject_rhsbl(const call& c) {
    const std::string* value = value_of(c.what.whose);
    if (!value) co_return verdict::dunno;
    const std::string_view domain = listable_domain(*value);
    if (domain.empty()) co_return verdict::dunno;
    std::string query = fmt::format("{}.{}", domain, list_domain(c.argument));
    const list_hit hit = co_await ask_filtered(std::move(query), c.argument);
    if (process_dies_) co_return verdict::reject;
    if (!hit.listed) co_return verdict::dunno;
    const subject about = subject_of(c.what.whose);
    co_return reject_listed(*hit.answer, c.argument, *value, about.about);
}

// No list in the DNS opens a relay: at RCPT, one counts only where mail may go anyway.
verdict evaluation::relay_safety() {
    const std::string* recipient = stage_name_ == "RCPT" ? address_of(party::recipient) : nullptr;
    return recipient ? authorized(*recipient) : verdict::permit;
}

// A white list that does not answer may have let the client in: no refusal is final then.
task<verdict> evaluation::permit_dnswl_client(const call& c) {
    const verdict safe = relay_safety();
    if (safe != verdict::permit) co_return safe;
    const std::string& address = facts_.client->address;
    const auto query = dns::dnsbl_name(address, list_domain(c.argument));
    if (!query) co_return verdict::dunno;
    const list_hit hit = co_await ask_filtered(*query, c.argument);
    if (process_dies_) co_return verdict::reject;
    if (hit.failed)
        defer_later_if_reject(450, "4.7.1", fmt::format("<{}>: Client host rejected: Service unavailable", address));
    if (!hit.listed) co_return verdict::dunno;
    co_return permitted(c.what.name, reply_class::client, facts_.client->name_and_address());
}

task<verdict> evaluation::permit_rhswl_client(const call& c) {
    const verdict safe = relay_safety();
    if (safe != verdict::permit) co_return safe;
    const std::string* name = value_of(party::client);
    const std::string_view domain = name ? listable_domain(*name) : std::string_view();
    if (domain.empty()) co_return verdict::dunno;
    std::string query = fmt::format("{}.{}", domain, list_domain(c.argument));
    const list_hit hit = co_await ask_filtered(std::move(query), c.argument);
    if (process_dies_) co_return verdict::reject;
    if (hit.failed)
        defer_later_if_reject(450, "4.7.1", fmt::format("<{}>: Client host rejected: Service unavailable", *name));
    if (!hit.listed) co_return verdict::dunno;
    co_return permitted(c.what.name, reply_class::client, facts_.client->name_and_address());
}

}  // namespace mta::smtpd
