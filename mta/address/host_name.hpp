// mta/address/host_name.hpp - is this text a host name, an address, an address literal (RFC 1123 2.1, RFC 5321 4.1.3)?
//
// Each question has two forms: a plain predicate, and `..._fault`, which yields nothing for good text and otherwise the
// warning that Postfix logs ("valid_hostname: misplaced delimiter: ..."). The text is judged as a C string is: it ends
// at its first NUL.
#pragma once
#include <optional>
#include <string>
#include <string_view>

namespace mta::address {

std::optional<std::string> hostname_fault(std::string_view name);
std::optional<std::string> ipv4_fault(std::string_view text);
std::optional<std::string> ipv6_fault(std::string_view text);
std::optional<std::string> hostaddr_fault(std::string_view text);          // either family, no brackets
std::optional<std::string> mailhost_address_fault(std::string_view text);  // "192.0.2.1", "IPv6:2001:db8::1"
std::optional<std::string> mailhost_literal_fault(std::string_view text);  // "[192.0.2.1]", "[IPv6:2001:db8::1]"
std::optional<std::string> hostport_fault(std::string_view text);          // "25", "smtp"

inline bool valid_hostname(std::string_view name) {
    return !hostname_fault(name);
}
inline bool valid_hostaddr(std::string_view text) {
    return !hostaddr_fault(text);
}
inline bool valid_mailhost_literal(std::string_view text) {
    return !mailhost_literal_fault(text);
}

bool valid_utf8(std::string_view text);
// Each label that has non-ASCII text as its A-label (RFC 5890; ASCII letters lowered, no further mapping), or nothing
// for text that has none.
std::optional<std::string> domain_to_ascii(std::string_view name);
// With smtputf8_enable a domain may be UTF-8; it is then judged in its A-label form.
bool valid_utf8_hostname(bool enabled, std::string_view name);

}  // namespace mta::address
