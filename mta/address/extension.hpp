// mta/address/extension.hpp - address extensions: "user+folder" (recipient_delimiter, owner_request_special).
#pragma once
#include <optional>
#include <string>
#include <string_view>

namespace mta::address {

struct extension_rules {
    std::string_view delimiters;  // recipient_delimiter: any of these bytes
    bool owner_request_special = true;
    std::string_view double_bounce_sender = "double-bounce";
};

struct extended_local {
    std::string_view user;
    char delimiter = 0;
    std::string_view extension;
};

// `local` cut at its first delimiter, or nothing where it has no extension: reserved names (mailer-daemon, the
// double-bounce sender), owner-list and list-request, a delimiter in front or no delimiter (split_addr(3)).
std::optional<extended_local> split_extension(std::string_view local, const extension_rules& rules);

// "user+ext@domain" without its extension, and the extension with its delimiter ("+ext"); nothing when there is none.
struct stripped_address {
    std::string address;
    std::string extension;
};
std::optional<stripped_address> strip_extension(std::string_view address, const extension_rules& rules);

}  // namespace mta::address
