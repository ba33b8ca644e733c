#include "mta/smtp/tls_policy_attributes.hpp"

#include <fmt/format.h>

#include "mta/dns.hpp"
#include "mta/text/strings.hpp"

namespace mta::smtp {

void append_words(std::vector<std::string>& to, std::string_view text, std::string_view separators) {
    for (const std::string_view each : text::split(text, separators)) to.emplace_back(each);
}

std::string attribute_reader::take_once(std::string& slot, bool& seen, std::string_view name, std::string_view value) {
    if (seen) return fmt::format("attribute \"{}\" is specified multiple times", name);
    seen = true;
    slot = std::string(value);
    return {};
}

std::string attribute_reader::take_match(std::string_view name, std::string_view value) {
    if (value.empty()) return fmt::format("attribute \"{}\" has empty value", name);
    switch (level_) {
        case tls_level::fingerprint:
            append_words(into_.fingerprints, value, "|");
            return {};
        case tls_level::verify:
        case tls_level::secure:
            append_words(into_.match_names, value, ":");
            return {};
        default:
            return fmt::format("attribute \"{}\" invalid at security level \"{}\"", name, name_of(level_));
    }
}

std::string attribute_reader::read(std::string_view word) {
    const std::size_t equals = word.find('=');
    const std::string_view name = word.substr(0, equals);
    if (equals == std::string_view::npos || name.empty()) {
        return fmt::format("malformed attribute/value pair \"{}\": {}", word,
                           equals == 0 ? "missing attribute name" : "missing '=' after attribute name");
    }
    const std::string_view value = word.substr(equals + 1);
    if (text::equal_ignoring_case(name, "ciphers")) {
        if (value.empty()) return fmt::format("attribute \"{}\" has empty value", name);
        return take_once(into_.ciphers, ciphers_, name, value);
    }
    if (text::equal_ignoring_case(name, "protocols")) return take_once(into_.protocols, protocols_, name, value);
    if (text::equal_ignoring_case(name, "servername")) {
        if (!server_name_ && !dns::is_valid_hostname(value))
            return fmt::format("\"{}={}\" specifies an invalid hostname", name, value);
        return take_once(into_.server_name, server_name_, name, value);
    }
    if (text::equal_ignoring_case(name, "match")) return take_match(name, value);
    if (text::equal_ignoring_case(name, "exclude")) {
        if (!exclude_) into_.exclude.emplace();
        return take_once(*into_.exclude, exclude_, name, value);
    }
    if (text::equal_ignoring_case(name, "tafile")) {
        if (value.empty()) return fmt::format("attribute \"{}\" has empty value", name);
        if (level_ != tls_level::verify && level_ != tls_level::secure)
            return fmt::format("attribute \"{}\" invalid at security level \"{}\"", name, name_of(level_));
        into_.anchor_files.emplace_back(value);
        return {};
    }
    if (text::equal_ignoring_case(name, "connection_reuse")) {
        // There is no tlsproxy(8) here: a connection under TLS carries one message.
        if (text::equal_ignoring_case(value, "yes") || text::equal_ignoring_case(value, "no")) return {};
        return fmt::format("attribute \"{}\" has bad value: \"{}\"", name, value);
    }
    return fmt::format("invalid attribute name: \"{}\"", name);
}

}  // namespace mta::smtp
