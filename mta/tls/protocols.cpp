// The protocol lists of postconf(5) smtpd_tls_mandatory_protocols: ">=TLSv1.1, <=0x0303", "!SSLv2 !SSLv3", "TLSv1.2".
#include <openssl/ssl.h>

#include <array>

#include "mta/text/strings.hpp"
#include "mta/tls/context.hpp"

namespace mta::tls {
namespace {

struct protocol {
    std::string_view name;
    int version;
    std::uint64_t off;  // the option that turns it off; 0 where OpenSSL has it no more
};
constexpr std::array<protocol, 6> known = {{
    {"SSLv2", 0x0002, 0},
    {"SSLv3", SSL3_VERSION, SSL_OP_NO_SSLv3},
    {"TLSv1", TLS1_VERSION, SSL_OP_NO_TLSv1},
    {"TLSv1.1", TLS1_1_VERSION, SSL_OP_NO_TLSv1_1},
    {"TLSv1.2", TLS1_2_VERSION, SSL_OP_NO_TLSv1_2},
    {"TLSv1.3", TLS1_3_VERSION, SSL_OP_NO_TLSv1_3},
}};

const protocol* find(std::string_view name) {
    for (const auto& each : known)
        if (text::equal_ignoring_case(each.name, name)) return &each;
    return nullptr;
}

// A bound is a name or a hexadecimal version, "0x0303"; -1 when it is neither.
int version_of(std::string_view text) {
    if (const auto* named = find(text)) return named->version;
    if (text.size() < 3 || text.size() > 6 || text[0] != '0' || text::lower(text[1]) != 'x') return -1;
    int value = 0;
    for (const char c : text.substr(2)) {
        const char folded = text::lower(c);
        if (!text::is_digit(c) && (folded < 'a' || folded > 'f')) return -1;
        value = value * 16 + (text::is_digit(c) ? c - '0' : folded - 'a' + 10);
    }
    return value;
}

}  // namespace

bool parse_protocols(std::string_view list, protocol_range& range) {
    range = {};
    std::uint64_t included = 0, all = 0;
    bool any_included = false;
    for (const auto& each : known) all |= each.off;
    for (const auto word : text::split(list, ", \t\r\n:")) {
        const auto bound = word.substr(0, 2);
        if (bound == ">=" || bound == "<=") {
            const int version = version_of(word.substr(2));
            if (version < 0) return false;
            (bound == ">=" ? range.lowest : range.highest) = version;
            continue;
        }
        const bool excludes = word[0] == '!';
        const auto* named = find(word.substr(excludes ? 1 : 0));
        if (!named) return false;
        (excludes ? range.excluded : included) |= named->off;
        any_included |= !excludes;
    }
    if (any_included) range.excluded |= all & ~included;
    return true;
}

}  // namespace mta::tls
