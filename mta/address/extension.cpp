#include "mta/address/extension.hpp"

#include "mta/address/quote.hpp"
#include "mta/text/strings.hpp"

namespace mta::address {
namespace {

// Names that a mail system itself relies on, whatever delimiters they contain.
bool reserved(std::string_view local, const extension_rules& rules) {
    if (text::equal_ignoring_case(local, "mailer-daemon")) return true;
    if (text::equal_ignoring_case(local, rules.double_bounce_sender)) return true;
    const bool hyphen = rules.delimiters.find('-') != std::string_view::npos;
    return hyphen && rules.owner_request_special &&
           (text::starts_with_ignoring_case(local, "owner-") || text::ends_with_ignoring_case(local, "-request"));
}

}  // namespace

std::optional<extended_local> split_extension(std::string_view local, const extension_rules& rules) {
    if (reserved(local, rules)) return std::nullopt;
    const auto at = local.find_first_of(rules.delimiters);
    if (at == std::string_view::npos || at == 0) return std::nullopt;
    return extended_local{local.substr(0, at), local[at], local.substr(at + 1)};
}

std::optional<stripped_address> strip_extension(std::string_view address, const extension_rules& rules) {
    const auto parts = split_at_domain(address);
    const auto split = split_extension(parts.local, rules);
    if (!split) return std::nullopt;
    stripped_address result{std::string(split->user), split->delimiter + std::string(split->extension)};
    if (parts.domain) result.address.append("@").append(*parts.domain);
    return result;
}

}  // namespace mta::address
