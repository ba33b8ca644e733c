// mta/address/header_addresses.hpp - addresses in header text: taking them out (sendmail -t), and rewriting them in
// place (cleanup(8), header_address_token_limit).
//
// Never fails; text past the token limit is dropped with a warning text for the log.
#pragma once
#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace mta::address {

struct header_recipients {
    std::vector<std::string> addresses;  // in internal form, empty ones left out
    bool truncated = false;
};
// Of one header's value (after the colon), folded lines and all.
header_recipients recipients_in_header(std::string_view value, std::size_t token_limit);

struct rewritten_header {
    std::string value;  // with its leading space, without the last newline; as given when nothing was changed
    bool changed = false;
    bool truncated = false;
};
// `rewrite` gets each address in external form without comments, and returns it in external form (or unchanged). The
// value is printed the way Postfix prints a rewritten header: comments kept, one space, each address after the first
// on its own line when the header has several.
rewritten_header rewrite_header(std::string_view value, std::size_t token_limit,
                                const std::function<std::string(std::string_view)>& rewrite);

}  // namespace mta::address
