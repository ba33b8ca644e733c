// mta/address/map_address.hpp - what canonical(5), virtual(5) and generic(5) tables make of one address
// (mail_addr_map(3)).
//
// Never throws; a table that fails says so in the match, with the warnings of all tables that were asked.
#pragma once
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "mta/table/maps.hpp"

namespace mta::address {

class trivial_rewrite;

struct mapped {
    table::match match;
    // In internal form, rewritten in the local context, each with the extension that the key left out where extensions
    // are propagated. Empty when there is no entry.
    std::vector<std::string> addresses;
};

mapped map_address(const table::maps& maps, std::string_view internal, bool propagate, const trivial_rewrite& rewrite,
                   std::size_t token_limit);

}  // namespace mta::address
