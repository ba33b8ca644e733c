// mta/config/ehlo_keywords.hpp - the EHLO keywords that a server may leave out of its reply, or a client may overlook
// (smtpd_discard_ehlo_keywords, smtp_discard_ehlo_keywords; ehlo_mask(3)).
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

namespace mta::config {

// In the order in which the log names them.
enum class keyword : std::uint8_t {
    eightbitmime,
    auth,
    etrn,
    pipelining,
    size,
    verp,
    vrfy,
    xclient,
    xforward,
    starttls,
    enhancedstatuscodes,
    dsn,
    smtputf8,
    chunking,
    silent_discard
};
using keyword_set = std::uint32_t;
constexpr keyword_set bit(keyword value) {
    return keyword_set{1} << static_cast<unsigned>(value);
}
// A word that is no keyword says nothing.
keyword_set parse_keywords(std::string_view text);
std::string names_of(keyword_set set);

}  // namespace mta::config
