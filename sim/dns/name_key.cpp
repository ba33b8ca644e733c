#include "sim/dns/name_key.hpp"

#include <algorithm>

#include "mta/dns.hpp"
#include "mta/text/strings.hpp"

namespace sim::dns {

std::optional<std::string> key_of(std::string_view name) {
    const auto sized = mta::dns::wire_sized(name);
    if (!sized) return std::nullopt;
    auto labels = mta::dns::labels_of(*sized);
    std::reverse(labels.begin(), labels.end());
    std::string key;
    for (const auto label : labels) {
        for (const char c : mta::dns::label_bytes(label)) {
            if (c == '\0' || c == '\1') {
                key += '\1';
                key += static_cast<char>(c + 1);
            } else {
                key += mta::text::lower(c);
            }
        }
        key += '\0';
    }
    return key;
}

std::string_view parent_key(std::string_view key) {
    if (key.empty()) return key;
    const auto end_of_parent = key.substr(0, key.size() - 1).rfind('\0');
    return end_of_parent == std::string_view::npos ? std::string_view() : key.substr(0, end_of_parent + 1);
}

}  // namespace sim::dns
