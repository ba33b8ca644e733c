// sim/topology/names.cpp - which words may name what: machines, zones, parameters, files, services, users.
//
// Each check gives what is wrong and what to do, or nothing. They keep names out of paths, of main.cf's grammar and of
// the DNS's limits (RFC 1035 2.3.4, RFC 1123 2.1).
#include "mta/table/open.hpp"
#include "mta/text/strings.hpp"
#include "sim/topology/types.hpp"

namespace sim::topology {
namespace {

using namespace std::string_literals;

bool is_name_of(std::string_view name, std::string_view others) {
    return !name.empty() && std::all_of(name.begin(), name.end(), [&](char c) {
        return mta::text::is_alnum(c) || others.find(c) != std::string_view::npos;
    });
}

// Why this is no sequence of labels of at most 63 characters, or "".
std::string label_fault(std::string_view name, std::string_view others) {
    if (name.empty()) return "it is empty";
    if (name.size() > 253) return "it is longer than 253 characters";
    while (true) {
        const auto dot = name.find('.');
        const auto label = name.substr(0, dot);
        if (label.empty()) return "it has an empty label (a dot too many)";
        if (label.size() > 63) return "a label is longer than 63 characters";
        if (!is_name_of(label, others)) return "only letters, digits, \"-\" and \"_\" may stand between its dots";
        if (label.front() == '-' || label.back() == '-') return "a label begins or ends with \"-\"";
        if (dot == std::string_view::npos) return "";
        name.remove_prefix(dot + 1);
    }
}

}  // namespace

std::optional<std::string> check_domain_name(std::string_view name) {
    const auto fault = label_fault(name, "-_");
    if (fault.empty()) return std::nullopt;
    return quoted_word(name) + " is not a host name: " + fault + "; write a name such as mail.example.org";
}

std::optional<std::string> check_machine_name(std::string_view name) {
    if (auto wrong = check_domain_name(name)) return wrong;
    if (name.find('.') != std::string_view::npos && !parse_address(name)) return std::nullopt;
    return quoted_word(name) + " is not the full name of a machine; add its domain, as in mail.example.org";
}

std::optional<std::string> check_zone_name(std::string_view name) {
    if (name == "." || name.empty()) return std::nullopt;
    if (name.ends_with('.')) name.remove_suffix(1);
    const auto fault = label_fault(name, "-_/");  // "/": RFC 2317
    if (fault.empty()) return std::nullopt;
    return quoted_word(name) + " is not the name of a zone: " + fault + "; write a domain such as example.org";
}

std::optional<std::string> check_parameter_name(std::string_view name) {
    if (name.size() <= 200 && is_name_of(name, "_-./")) return std::nullopt;
    return quoted_word(name) + " cannot be a parameter of main.cf; write a name of letters, digits and \"_\"";
}

std::optional<std::string> check_file_name(std::string_view name) {
    const auto hint = "; write a relative path of letters, digits, \".\", \"-\" and \"_\""s;
    if (name.size() > 200 || !is_name_of(name, "_-./+@") || name.starts_with('/') || name.ends_with('/'))
        return quoted_word(name) + " cannot be a file of the lab" + hint;
    for (const auto part : mta::text::split(name, "/"))
        if (part == "." || part == "..") return quoted_word(name) + " would leave the host's folder" + hint;
    if (name == "main.cf" || name == "master.cf")
        return quoted_word(name) + " is written by the lab; use \"postfix:\" and \"master_cf:\"";
    return std::nullopt;
}

std::optional<std::string> check_service_name(std::string_view name) {
    if (name.size() <= 60 && is_name_of(name, "_-.")) return std::nullopt;
    return quoted_word(name) + " cannot be a service of master.cf; write a name of letters, digits, \"-\" and \"_\"";
}

std::optional<std::string> check_policy_endpoint(std::string_view name) {
    const bool clean = name.size() <= 200 && is_name_of(name, "_-./:");
    if (clean && parse_policy_place(name)) return std::nullopt;
    return quoted_word(name) +
           " is no endpoint of this host; write it as check_policy_service does: unix:private/policy, "
           "inet:127.0.0.1:10023, or inet:10023 for all its addresses";
}

std::optional<std::string> check_stand_in(std::string_view name) {
    const auto colon = name.find(':');
    const bool has_name = colon != std::string_view::npos && colon + 1 < name.size() && name.size() <= 500;
    if (has_name && mta::table::asks_a_server(name.substr(0, colon))) return std::nullopt;
    return quoted_word(name) +
           " is no table that asks a server; write it as parameters do, without proxy:, as in "
           "ldap:/etc/postfix/users.cf; "
           "other tables are files";
}

std::optional<std::string> check_variable_name(std::string_view name) {
    if (name.size() <= 200 && is_name_of(name, "_") && !mta::text::is_digit(name.front())) return std::nullopt;
    return quoted_word(name) + " cannot be a variable; write a name of letters, digits and \"_\"";
}

std::optional<std::string> check_user_name(std::string_view name) {
    if (name.size() <= 64 && is_name_of(name, "_-.+@") && name.front() != '-' && name.front() != '.')
        return std::nullopt;
    return quoted_word(name) + " cannot be a user; write a name of letters, digits, \"-\", \"_\" and \".\"";
}

std::optional<std::string> check_header_name(std::string_view name) {
    const bool printable =
        !name.empty() && std::all_of(name.begin(), name.end(), [](char c) { return c > ' ' && c < 0x7F && c != ':'; });
    if (printable && name.size() <= 200) return std::nullopt;
    return quoted_word(name) +
           " cannot name a header; write printable characters without space and \":\" (RFC 5322, 2.2)";
}

std::optional<std::string> check_smtp_verb(std::string_view name) {
    const bool upper = std::all_of(name.begin(), name.end(), [](char c) { return c == mta::text::upper(c); });
    if (upper && name.size() <= 40 && is_name_of(name, "-")) return std::nullopt;
    return quoted_word(name) +
           " is no SMTP verb; write it in capitals, as in RCPT, or CONNECT for the greeting and END for the "
           "dot after the message";
}

}  // namespace sim::topology
