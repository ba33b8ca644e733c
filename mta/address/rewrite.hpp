// mta/address/rewrite.hpp - addresses to standard form (trivial-rewrite(8), ADDRESS_REWRITING_README).
//
// Pure and total: any text in, some text out.
#pragma once
#include <string>
#include <string_view>

#include "mta/address/token.hpp"

namespace mta::address {

// What an incomplete address is completed with. The remote context has remote_header_rewrite_domain as both.
struct rewrite_context {
    std::string origin;  // myorigin
    std::string domain;  // mydomain
};

struct rewrite_rules {
    bool append_at_myorigin = true;
    bool append_dot_mydomain = false;  // at compatibility level 1 and up
    bool swap_bangpath = true;
    bool allow_percent_hack = true;
};

// An address in external (quoted) form, rewritten, in external form. "" stays "".
std::string rewrite_address(std::string_view external, const rewrite_context& context, const rewrite_rules& rules);
// The same for an address in internal form, internal form back (rewrite_clnt_internal).
std::string rewrite_internal(std::string_view internal, const rewrite_context& context, const rewrite_rules& rules);
void rewrite_tokens(token_list& tokens, const rewrite_context& context, const rewrite_rules& rules);

}  // namespace mta::address
