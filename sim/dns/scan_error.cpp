#include "sim/dns/scan_error.hpp"

#include <fmt/format.h>

extern "C" {
#include <libzscanner/error.h>
}

#include <algorithm>
#include <array>
#include <vector>

#include "mta/dns.hpp"
#include "mta/text/strings.hpp"

namespace sim::dns {
namespace {

struct row {
    int code;
    std::string_view message;  // {} is the word at the error
    std::string_view advice;
};

constexpr std::array rows = {
    row{ZS_BAD_IPV4, "'{}' is no IPv4 address", "write four numbers from 0 to 255, as in 192.0.2.1"},
    row{ZS_BAD_IPV6, "'{}' is no IPv6 address", "write it as in 2001:db8::1"},
    row{ZS_BAD_ADDRESS_CHAR, "'{}' is no address", "A takes 192.0.2.1, AAAA takes 2001:db8::1"},
    row{ZS_BAD_NUMBER, "'{}' stands where a number should",
        "a record is: name, TTL, IN, type, data; MX data is: 10 mail"},
    row{ZS_NUMBER8_OVERFLOW, "the number in '{}' is too large", "it may be 255 at most"},
    row{ZS_NUMBER16_OVERFLOW, "the number in '{}' is too large", "it may be 65535 at most"},
    row{ZS_NUMBER32_OVERFLOW, "the number in '{}' is too large", "a TTL may be 2147483647 at most"},
    row{ZS_NUMBER64_OVERFLOW, "the number in '{}' is too large", "a TTL may be 2147483647 at most"},
    row{ZS_BAD_TIME_UNIT, "'{}' has an unknown unit of time", "use s, m, h, d or w, as in 1h30m"},
    row{ZS_BAD_TTL, "'{}' is no TTL", "write seconds, or 1h30m"},
    row{ZS_BAD_REST, "'{}' is left over after the record", "remove it, or put text in double quotes"},
    row{ZS_BAD_OWNER, "'{}' is no name for a record",
        "use letters, digits, hyphens, underscores; @ is the zone itself"},
    row{ZS_BAD_PREVIOUS_OWNER, "a line without a name has none before it to share",
        "write the name, or @ for the zone"},
    row{ZS_BAD_DNAME_CHAR, "'{}' is no domain name", "a name is labels with one dot between them"},
    row{ZS_LABEL_OVERFLOW, "a label of the name '{}' is longer than 63 bytes", "shorten it"},
    row{ZS_DNAME_OVERFLOW, "the name '{}' is longer than 255 bytes", "shorten it"},
    row{ZS_TEXT_OVERFLOW, "a text is longer than 255 bytes", "divide it into several, each in double quotes"},
    row{ZS_BAD_TEXT_CHAR, "a text does not end on its line", "close it with a double quote"},
    row{ZS_BAD_TEXT, "a text does not end on its line", "close it with a double quote"},
    row{ZS_UNCLOSED_MULTILINE, "a parenthesis is not closed", "add ) after the record's last word"},
    row{ZS_LEFT_PARENTHESIS, "a parenthesis is opened inside another", "one pair is enough for a record"},
    row{ZS_RIGHT_PARENTHESIS, "a parenthesis is closed that was not opened", "remove it, or open it with ("},
    row{ZS_BAD_DIRECTIVE, "'{}' is no directive the lab knows",
        "use $TTL and $ORIGIN; write what $GENERATE would make"},
    row{ZS_BAD_ORIGIN, "'{}' is no name for $ORIGIN", "write a domain name"},
    row{ZS_BAD_HEX_CHAR, "'{}' is not hexadecimal", "use digits and a to f, an even number of them"},
    row{ZS_BAD_HEX_RDATA, "'{}' is not hexadecimal", "use digits and a to f, an even number of them"},
    row{ZS_RDATA_OVERFLOW, "the record holds more than 65535 bytes", "make several of it"},
};

bool is_class(std::string_view word) {
    constexpr std::array<std::string_view, 4> classes = {"CH", "HS", "CS", "ANY"};
    return std::any_of(classes.begin(), classes.end(),
                       [&](std::string_view name) { return mta::text::equal_ignoring_case(name, word); });
}

wording unknown_type(std::string_view word) {
    if (is_class(word)) return {fmt::format("class {} is not what mail lives in", word), "write IN, or nothing"};
    constexpr std::array<std::string_view, 10> names = {"A",   "AAAA", "MX",  "NS",  "CNAME",
                                                        "PTR", "TXT",  "SOA", "SRV", "TLSA"};
    const std::string upper = mta::text::uppered(word);
    const auto close = mta::text::nearest(upper, {names.begin(), names.end()});
    if (!close.empty()) return {fmt::format("unknown record type {}", word), fmt::format("did you mean {}?", close)};
    return {fmt::format("unknown record type {}", word), "use A, AAAA, MX, NS, CNAME, PTR, TXT, SOA, SRV or TLSA"};
}

}  // namespace

wording words_for(int code, const zone_text::position& where) {
    constexpr std::size_t longest_word = 80;
    const std::string word = where.word.size() > longest_word ? where.word.substr(0, longest_word) + "..." : where.word;
    const bool keyword = mta::dns::type_named(word) || mta::text::equal_ignoring_case(word, "IN");
    const bool wants_more = code == ZS_BAD_NUMBER || code == ZS_UNSUPPORTED_TYPE || code == ZS_BAD_OWNER;
    if (where.at_end && (keyword || word.empty() || wants_more) && code != ZS_UNCLOSED_MULTILINE) {
        return {"the record ends too early", "a record is: name, TTL, IN, type, data; as in: @ 1h IN MX 10 mail"};
    }
    if (code == ZS_UNSUPPORTED_TYPE) return unknown_type(word);
    for (const auto& [known, message, advice] : rows) {
        if (known == code) return {fmt::format(fmt::runtime(message), word), std::string(advice)};
    }
    return {fmt::format("'{}': {}", word, zs_strerror(code)), "see RFC 1035, section 5, for how a record is written"};
}

}  // namespace sim::dns
