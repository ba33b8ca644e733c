// mta/address/quote.hpp - the two written forms of a local part: internal (as it is) and external (quoted where
// needed).
//
// RFC 821 quoting is for SMTP commands, RFC 822 quoting for headers. A domain is never touched. Unquoting what was
// quoted gives the same address back.
#pragma once
#include <optional>
#include <string>
#include <string_view>

namespace mta::address {

struct quote_flags {
    bool eight_bit_clean = true;   // leave bytes over 127 alone (QUOTE_FLAG_8BITCLEAN)
    bool expose_at = false;        // an '@' in the local part needs no quotes (QUOTE_FLAG_EXPOSE_AT)
    bool bare_local_part = false;  // RFC 822 only: all of it is a local part (QUOTE_FLAG_BARE_LOCALPART)
};

std::string quote_821_local(std::string_view address, const quote_flags& flags = {});
std::string quote_822_local(std::string_view address, const quote_flags& flags = {});
// A path as it stands between angle brackets: quoted, and the null path empty.
std::string path_821(std::string_view address);
std::string path_822(std::string_view address);
std::string unquote_822_local(std::string_view address);

// "user@domain" cut at the last '@'; the domain is absent when there is no '@'.
struct address_parts {
    std::string_view local;
    std::optional<std::string_view> domain;
};
address_parts split_at_domain(std::string_view address);

// RFC 3461 xtext ("+2B") and RFC 6533 utf-8-addr-xtext ("\x{2B}"); decoding yields nothing for malformed text.
std::string xtext_encode(std::string_view text, std::string_view special);
std::string uxtext_encode(std::string_view text, std::string_view special);
std::optional<std::string> xtext_decode(std::string_view text);
std::optional<std::string> uxtext_decode(std::string_view text);

}  // namespace mta::address
