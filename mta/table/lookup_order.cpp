#include "mta/table/lookup_order.hpp"

#include <algorithm>

#include "mta/table/cidr_match.hpp"
#include "mta/text/char_set.hpp"
#include "mta/text/strings.hpp"

namespace mta::table {
namespace {

// A search over several keys: the first hit or error ends it.
class search {
  public:
    explicit search(const maps& maps) : maps_(maps) {}

    bool decided() const { return match_.result.status != outcome::not_found; }

    // False when the search goes on.
    bool ask(std::string_view key, reach scope) {
        if (decided()) return true;
        return maps_.find_next(key, scope, match_);
    }
    void set_extension(std::string_view extension) { match_.extension = extension; }

    match result() { return std::move(match_); }

  private:
    const maps& maps_;
    match match_;
};

constexpr std::size_t max_parents =
    1'024;  // a command line of smtpd(8) holds no more labels, and no name is checked here

bool is_dot_string(std::string_view localpart) {
    constexpr text::char_set specials("()<>@,;:\\\"[]");
    bool after_dot = true;
    for (const char c : localpart) {
        const bool control = static_cast<unsigned char>(c) <= ' ' || c == '\x7f';
        if (control || specials.contains(c) || (c == '.' && after_dot)) return false;
        after_dot = c == '.';
    }
    return !after_dot;
}

// The address as it stands in a message: a localpart that is no dot-atom is quoted (RFC 5322, 3.2.4).
std::string external_form(std::string_view address) {
    const std::size_t end = std::min(address.rfind('@'), address.size());
    const std::string_view localpart = address.substr(0, end);
    if (is_dot_string(localpart)) return std::string(address);
    std::string quoted = "\"";
    for (const char c : localpart) {
        if (c == '"' || c == '\\' || c == '\r') quoted += '\\';
        quoted += c;
    }
    return quoted + '"' + std::string(address.substr(end));
}

bool ask_both_forms(search& search, std::string_view address, reach scope) {
    if (is_dot_string(address.substr(0, std::min(address.rfind('@'), address.size())))) {
        return search.ask(address, scope);
    }
    const std::string external = external_form(address);
    if (search.ask(external, scope)) return true;
    return external != address && search.ask(address, scope);
}

void ask_domain(search& search, std::string_view domain, unsigned strategy) {
    for (std::size_t i = 0; i < max_parents && !domain.empty(); ++i) {
        if (search.ask(domain, reach::fixed_only)) return;
        if ((strategy & (find_bare_parents | find_dot_parents)) == 0) return;
        const std::size_t dot = domain.find('.', 1);
        if (dot == domain.npos) return;
        domain.remove_prefix((strategy & find_dot_parents) != 0 ? dot : dot + 1);
    }
}

unsigned parents_of(parent_style style) {
    return find_domain | (style == parent_style::bare_parent ? find_bare_parents : find_dot_parents);
}

}  // namespace

std::string_view extension_of(std::string_view address, const extension_delimiters& delimiters) {
    const std::string_view localpart = address.substr(0, std::min(address.rfind('@'), address.size()));
    for (const std::string_view reserved : {"postmaster", "mailer-daemon", "double-bounce"}) {
        if (text::equal_ignoring_case(localpart, reserved)) return {};
    }
    constexpr std::string_view request = "-request";
    const std::string& characters = delimiters.characters;
    if (delimiters.list_names_are_special && characters.find('-') != characters.npos &&
        (text::starts_with_ignoring_case(localpart, "owner-") ||
         (localpart.size() > request.size() && text::ends_with_ignoring_case(localpart, request)))) {
        return {};
    }
    const std::size_t delimiter = localpart.find_first_of(characters);
    if (delimiter == localpart.npos || delimiter == 0) return {};
    return localpart.substr(delimiter);
}

std::optional<std::string> without_extension(std::string_view address, const extension_delimiters& delimiters) {
    const std::string_view extension = extension_of(address, delimiters);
    if (extension.empty()) return std::nullopt;
    const auto begin = static_cast<std::size_t>(extension.data() - address.data());
    std::string bare(address.substr(0, begin));
    bare += address.substr(begin + extension.size());
    return bare;
}

std::string with_extension(std::string_view address, std::string_view extension) {
    std::string extended(address);
    return extended.insert(std::min(address.rfind('@'), address.size()), extension);
}

match find_address(const maps& maps, std::string_view address, const address_rules& rules, unsigned strategy) {
    search search(maps);
    const std::string extension(extension_of(address, rules.recipient_delimiter));
    const std::optional<std::string> bare = without_extension(address, rules.recipient_delimiter);
    const auto ask_bare = [&](std::string_view key) {
        if (!search.decided() && ask_both_forms(search, key, reach::fixed_only)) search.set_extension(extension);
    };
    // user+ext and user, or user+ext@ and user@.
    const auto ask_localparts = [&](bool keep_at_sign) {
        const auto cut = [&](std::string_view whole) {
            return whole.substr(0, whole.rfind('@') + (keep_at_sign ? 1 : 0));
        };
        if (!search.decided()) ask_both_forms(search, cut(address), reach::fixed_only);
        if (bare) ask_bare(cut(*bare));
    };

    if ((strategy & find_full) != 0) ask_both_forms(search, address, reach::every_table);
    if ((strategy & find_without_extension) != 0 && bare) ask_bare(*bare);
    const std::size_t at = address.rfind('@');
    if (at == address.npos || search.decided()) return search.result();

    const std::string_view domain = address.substr(at + 1);
    const bool wants_local = (strategy & (find_localpart_if_local | find_localpart_at_if_local)) != 0;
    if (wants_local && rules.is_local && rules.is_local(domain)) {
        if ((strategy & find_localpart_if_local) != 0) ask_localparts(false);
        if ((strategy & find_localpart_at_if_local) != 0) ask_localparts(true);
    }
    if ((strategy & find_at_domain) != 0) search.ask(address.substr(at), reach::fixed_only);
    if ((strategy & find_domain) != 0) ask_domain(search, domain, strategy);
    if ((strategy & find_localpart_at) != 0) ask_localparts(true);
    return search.result();
}

std::pair<std::string, std::string> mapped_text(const match& match, std::string_view address, bool propagate) {
    const std::string extension = propagate ? match.extension : std::string();
    const std::string& value = match.result.value;
    if (!value.starts_with('@')) return {value, extension};
    std::string user(address.substr(0, std::min(address.rfind('@'), address.size())));
    if (!extension.empty()) user.resize(user.size() - std::min(extension.size(), user.size()));
    return {user + value, extension};
}

match find_transport(const maps& maps, std::string_view address, const extension_delimiters& recipient_delimiter,
                     parent_style style) {
    const address_rules rules{recipient_delimiter, {}};
    match found = find_address(maps, address, rules, find_full | find_without_extension | parents_of(style));
    if (found.result.status != outcome::not_found) return found;
    match wildcard = maps.find("*");
    auto& warnings = wildcard.result.warnings;
    warnings.insert(warnings.begin(), found.result.warnings.begin(), found.result.warnings.end());
    return wildcard;
}

match find_access_address(const maps& maps, std::string_view address, const extension_delimiters& recipient_delimiter,
                          parent_style style, std::string_view null_key) {
    if (address.empty()) return maps.find(null_key);
    const address_rules rules{recipient_delimiter, {}};
    return find_address(maps, address, rules,
                        find_full | find_without_extension | parents_of(style) | find_localpart_at);
}

match find_access_domain(const maps& maps, std::string_view domain, parent_style style, reach first) {
    search search(maps);
    const bool numerical = parse_ip(domain).has_value();
    for (std::size_t i = 0; i < max_parents && !domain.empty(); ++i) {
        if (search.ask(domain, i == 0 ? first : reach::fixed_only) || numerical) break;
        const std::size_t dot = domain.find('.', 1);
        if (dot == domain.npos) break;
        domain.remove_prefix(style == parent_style::bare_parent ? dot + 1 : dot);
    }
    return search.result();
}

match find_access_network(const maps& maps, std::string_view address, reach first) {
    search search(maps);
    const char delimiter = address.find(':') != address.npos ? ':' : '.';
    reach scope = first;
    for (std::size_t i = 0; i < max_parents; ++i) {
        if (search.ask(address, scope)) break;
        scope = reach::fixed_only;
        const std::size_t cut = address.rfind(delimiter);
        if (cut == address.npos) break;
        address = address.substr(0, cut);
    }
    return search.result();
}

match find_access_client(const maps& maps, std::string_view name, std::string_view address, parent_style style) {
    match by_name = find_access_domain(maps, name, style);
    if (by_name.result.status != outcome::not_found) return by_name;
    match by_address = find_access_network(maps, address);
    auto& warnings = by_address.result.warnings;
    warnings.insert(warnings.begin(), by_name.result.warnings.begin(), by_name.result.warnings.end());
    return by_address;
}

}  // namespace mta::table
