#include "mta/config/ehlo_keywords.hpp"

#include <algorithm>

#include "mta/text/strings.hpp"

namespace mta::config {
namespace {

constexpr std::string_view keyword_names[] = {
    "8BITMIME",      "AUTH",     "ETRN",     "PIPELINING",          "SIZE", "VERP",     "VRFY",
    "XCLIENT",       "XFORWARD", "STARTTLS", "ENHANCEDSTATUSCODES", "DSN",  "SMTPUTF8", "CHUNKING",
    "SILENT-DISCARD"};

}  // namespace

keyword_set parse_keywords(std::string_view text) {
    keyword_set set = 0;
    for (const std::string_view word : text::split(text, text::comma_or_space)) {
        const auto found = std::find_if(std::begin(keyword_names), std::end(keyword_names),
                                        [&](std::string_view each) { return text::equal_ignoring_case(each, word); });
        if (found != std::end(keyword_names)) set |= keyword_set{1} << (found - std::begin(keyword_names));
    }
    return set;
}

std::string names_of(keyword_set set) {
    std::string out;
    for (std::size_t i = 0; i < std::size(keyword_names); ++i) {
        if (!(set >> i & 1)) continue;
        if (!out.empty()) out += ' ';
        if (keyword_names[i] == "SMTPUTF8") out += "EHLO_MASK_";  // so Postfix's own table has it
        out += keyword_names[i];
    }
    return out;
}

}  // namespace mta::config
