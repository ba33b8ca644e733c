// mta/text/escape.hpp - bytes as Postfix's log shows them: C-like escapes (escape(3)).
#pragma once
#include <string>
#include <string_view>

namespace mta::text {

// "a\r\n\001": what is not printable ASCII, and the backslash, as an escape.
std::string escaped(std::string_view bytes);

}  // namespace mta::text
