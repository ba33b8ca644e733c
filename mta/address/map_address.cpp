#include "mta/address/map_address.hpp"

#include <algorithm>

#include "mta/address/quote.hpp"
#include "mta/address/token.hpp"
#include "mta/address/trivial_rewrite.hpp"

namespace mta::address {

mapped map_address(const table::maps& maps, std::string_view internal, bool propagate, const trivial_rewrite& rewrite,
                   std::size_t token_limit) {
    mapped result;
    result.match = table::find_address(maps, internal, rewrite.address_rules());
    const table::match& match = result.match;
    if (!match.found()) return result;
    std::string value = match.result.value;
    if (value.starts_with('@')) {
        // "@otherdomain" keeps the user, without the extension: that comes back below, or not at all.
        std::string_view user = internal.substr(0, std::min(internal.rfind('@'), internal.size()));
        user.remove_suffix(std::min(match.extension.size(), user.size()));
        quote_flags flags;
        flags.bare_local_part = true;
        value.insert(0, quote_822_local(user, flags));
    }
    const token_list tokens = parse_addresses(value, token_limit);
    for (const token* each : addresses_in(tokens)) {
        std::string address = rewrite.rewrite(internalize(each->children), true);
        if (propagate && !match.extension.empty()) address = table::with_extension(address, match.extension);
        result.addresses.push_back(std::move(address));
    }
    return result;
}

}  // namespace mta::address
