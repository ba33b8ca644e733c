#include "mta/config/inet_protocols.hpp"

#include "mta/text/strings.hpp"

namespace mta::config {

inet_protocols inet_protocols::parse(std::string_view text) {
    inet_protocols use;
    for (const auto word : text::split(text, text::comma_or_space)) {
        const bool all = text::equal_ignoring_case(word, "all");
        use.ipv4 = use.ipv4 || all || text::equal_ignoring_case(word, "ipv4");
        use.ipv6 = use.ipv6 || all || text::equal_ignoring_case(word, "ipv6");
    }
    return use;
}

std::vector<dns::record_type> inet_protocols::address_types() const {
    std::vector<dns::record_type> types;
    if (ipv4) types.push_back(dns::record_type::a);
    if (ipv6) types.push_back(dns::record_type::aaaa);
    return types;
}

}  // namespace mta::config
