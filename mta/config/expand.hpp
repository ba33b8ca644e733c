// mta/config/expand.hpp - $name, ${name?text}, ${{a} == {b} ? {x} : {y}} and the like (postconf(5)).
//
// A bad expression throws `fatal` with Postfix's text. Work is bounded: by a depth, and by the size of the result.
#pragma once
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "mta/config/problem.hpp"

namespace mta::config {

// The unexpanded value of a name, or nothing for an undefined one.
using lookup = std::function<std::optional<std::string>(std::string_view name)>;

// With recursion: the values that `find` gives are expanded too (main.cf). `blame` is the position of what throws.
std::string expand(std::string_view text, const lookup& find, const position& blame);
// Without: the values are put in as they are (pipe(8)'s and local(8)'s $recipient and the like; mac_expand(3)).
std::string expand_once(std::string_view text, const lookup& find, const position& blame);

}  // namespace mta::config
