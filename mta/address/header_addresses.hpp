// mta/address/header_addresses.hpp - addresses in header text: taking them out (sendmail -t), and rewriting them in
// place (cleanup(8), header_address_token_limit).
//
// Never fails; what is past the token limit is dropped.
#pragma once
#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace mta::address {

// The addresses of one header's value (what follows the colon, folded lines and all), in internal form.
std::vector<std::string> recipients_in_header(std::string_view value, std::size_t token_limit);

struct rewritten_header {
    std::string text;  // "To: a@b,\n\tc@d", without the last newline
    bool changed = false;
    std::vector<std::string> warnings;  // "stripping too many comments from address: ..."
};
// `name` is the header's name, `value` what follows its colon. `rewrite` gets each address in external form without
// comments, and returns it in external form. When one changes, the header is printed anew: comments kept, one space
// after the colon, as many addresses on a line as fit 70 columns. When none does, the text is as it came.
rewritten_header rewrite_header(std::string_view name, std::string_view value, std::size_t token_limit,
                                const std::function<std::string(std::string_view)>& rewrite);

}  // namespace mta::address
