#include "mta/dns.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "mta/text/strings.hpp"

namespace mta::dns {
namespace {

constexpr std::size_t longest_label = 63;  // RFC 1035, 2.3.4
constexpr std::size_t longest_wire_name = 255;
constexpr int most_questions = 10;  // dns_lookup(3)

struct type_row {
    record_type type;
    std::string_view name;
    std::uint16_t code;
};
constexpr std::array<type_row, 10> types = {{{record_type::a, "A", 1},
                                             {record_type::aaaa, "AAAA", 28},
                                             {record_type::mx, "MX", 15},
                                             {record_type::ns, "NS", 2},
                                             {record_type::cname, "CNAME", 5},
                                             {record_type::ptr, "PTR", 12},
                                             {record_type::txt, "TXT", 16},
                                             {record_type::soa, "SOA", 6},
                                             {record_type::srv, "SRV", 33},
                                             {record_type::tlsa, "TLSA", 52}}};

const type_row& row_of(record_type type) {
    return *std::find_if(types.begin(), types.end(), [&](const type_row& row) { return row.type == type; });
}

std::string_view without_final_dot(std::string_view name) {
    if (!name.ends_with('.')) return name;
    std::size_t backslashes = 0;
    while (backslashes + 1 < name.size() && name[name.size() - 2 - backslashes] == '\\') ++backslashes;
    return backslashes % 2 == 0 ? name.substr(0, name.size() - 1) : name;
}

// How many bytes of text at `at` stand for one byte of the label: "\." is two, "\046" four.
std::size_t escape_length(std::string_view name, std::size_t at) {
    if (name[at] != '\\') return 1;
    const bool decimal = at + 3 < name.size() && text::is_digit(name[at + 1]) && text::is_digit(name[at + 2]) &&
                         text::is_digit(name[at + 3]);
    return std::min<std::size_t>(decimal ? 4 : 2, name.size() - at);
}

std::size_t wire_length(std::string_view label) {
    std::size_t length = 0;
    for (std::size_t at = 0; at < label.size(); at += escape_length(label, at)) ++length;
    return length;
}

struct binary_address {
    int family = AF_INET;
    std::array<unsigned char, 16> bytes{};
    std::size_t size() const { return family == AF_INET ? 4 : 16; }
};

std::optional<binary_address> parse_address(std::string_view text) {
    if (text.size() >= INET6_ADDRSTRLEN) return std::nullopt;
    const std::string terminated(text);
    if (terminated.find('\0') != std::string::npos) return std::nullopt;
    binary_address address;
    for (const int family : {AF_INET, AF_INET6}) {
        address.family = family;
        if (inet_pton(family, terminated.c_str(), address.bytes.data()) == 1) return address;
    }
    return std::nullopt;
}

// The address' bytes (IPv4) or nibbles (IPv6), last first, each followed by a dot.
std::string reversed(const binary_address& address) {
    std::string text;
    for (std::size_t i = address.size(); i-- > 0;) {
        const unsigned byte = address.bytes[i];
        text += address.family == AF_INET ? fmt::format("{}.", byte) : fmt::format("{:x}.{:x}.", byte & 15, byte >> 4);
    }
    return text;
}

}  // namespace

std::string_view name_of(record_type type) {
    return row_of(type).name;
}

std::uint16_t code_of(record_type type) {
    return row_of(type).code;
}

std::optional<record_type> type_named(std::string_view name) {
    for (const auto& row : types) {
        if (text::equal_ignoring_case(row.name, name)) return row.type;
    }
    return std::nullopt;
}

std::optional<record_type> type_of_code(std::uint16_t code) {
    for (const auto& row : types) {
        if (row.code == code) return row.type;
    }
    return std::nullopt;
}

status status_of(rcode code) {
    switch (code) {
        case rcode::noerror:
            return status::nodata;
        case rcode::nxdomain:
            return status::nxdomain;
        case rcode::formerr:
            return status::failure;
        case rcode::no_reply:
        case rcode::servfail:
        case rcode::notimp:
        case rcode::refused:
            return status::try_again;
    }
    return status::failure;
}

std::vector<record> records_of(const response& answer, record_type type) {
    std::vector<record> found;
    for (const auto& entry : answer.answers) {
        if (entry.type == type) found.push_back(entry);
    }
    return found;
}

bool has_null_mx(const response& answer) {
    return std::any_of(answer.answers.begin(), answer.answers.end(),
                       [](const record& entry) { return entry.type == record_type::mx && entry.target.empty(); });
}

std::string_view text_of(status state) {
    switch (state) {
        case status::ok:
            return "";
        case status::nxdomain:
            return "Host not found";
        case status::nodata:
            return "Host found but no data record of requested type";
        case status::try_again:
            return "Host not found, try again";
        case status::failure:
            return "Non-recoverable error";
        case status::malformed:
            return "Malformed or unexpected name server reply";
        case status::invalid_name:
            return "invalid host or domain name";
        case status::null_mx:
            return "does not accept mail (nullMX)";
        case status::loop:
            return "Name server loop";
        case status::filtered:
            return "DNS reply filter policy";
        case status::bad_filter:  // res_query(3) had no error
            return "Unknown error 0";
    }
    return "";
}

std::string explain(const question& asked, status state) {
    switch (state) {
        case status::ok:
            return "";
        case status::invalid_name:
            return fmt::format("Name service error for {}: {}", asked.name, text_of(state));
        case status::null_mx:
            return fmt::format("Domain {} {}", asked.name, text_of(state));
        case status::loop:
            return fmt::format("{} for {}", text_of(state), asked.name);
        case status::filtered:
            return fmt::format("Error looking up name={} type={}: DNS reply filter drops all results", asked.name,
                               name_of(asked.type));
        case status::bad_filter:
            return fmt::format("Error looking up name={} type={}: Invalid DNS reply filter syntax", asked.name,
                               name_of(asked.type));
        case status::malformed:
            return fmt::format("Name service error for name={} type={}: {}", asked.name, name_of(asked.type),
                               text_of(state));
        default:
            return fmt::format("Host or domain name not found. Name service error for name={} type={}: {}", asked.name,
                               name_of(asked.type), text_of(state));
    }
}

// ---------------------------------------------------------------------------------------------------------------------

lookup::lookup(question first) : asked_(std::move(first)) {
    if (is_valid_hostname(asked_.name)) return;
    result_.state = status::invalid_name;
    done_ = true;
}

void lookup::feed(response reply) {
    if (done_) return;
    ++questions_;
    const bool first = questions_ == 1;
    result_.authenticated = reply.authenticated && (first || result_.authenticated);
    result_.state = reply.state;
    result_.code = reply.code;
    result_.negative_ttl_s = reply.negative_ttl_s;
    const bool only_an_alias = reply.code == rcode::noerror && !reply.answers.empty() &&
                               reply.answers.back().type == record_type::cname && asked_.type != record_type::cname;
    std::move(reply.answers.begin(), reply.answers.end(), std::back_inserter(result_.answers));
    done_ = !only_an_alias;
    if (result_.ok() && asked_.type == record_type::mx && has_null_mx(result_)) result_.state = status::null_mx;
    if (done_) return;
    asked_.name = result_.answers.back().target;
    if (questions_ < most_questions) return;
    result_.state = status::loop;
    done_ = true;
}

// ---------------------------------------------------------------------------------------------------------------------

std::vector<std::string_view> labels_of(std::string_view name) {
    name = without_final_dot(name);
    std::vector<std::string_view> labels;
    if (name.empty()) return labels;
    std::size_t begin = 0;
    for (std::size_t at = 0; at < name.size(); at += escape_length(name, at)) {
        if (name[at] != '.') continue;
        labels.push_back(name.substr(begin, at - begin));
        begin = at + 1;
    }
    labels.push_back(name.substr(begin));
    return labels;
}

std::string label_bytes(std::string_view label) {
    std::string bytes;
    for (std::size_t at = 0; at < label.size();) {
        const std::size_t length = escape_length(label, at);
        if (length == 4) {
            bytes +=
                static_cast<char>((label[at + 1] - '0') * 100 + (label[at + 2] - '0') * 10 + (label[at + 3] - '0'));
        } else {
            bytes += label[at + length - 1];
        }
        at += length;
    }
    return bytes;
}

std::string escaped_label(std::string_view bytes) {
    std::string label;
    for (const char c : bytes) {
        if (c == '.' || c == '\\') {
            label += '\\';
            label += c;
        } else if (c > ' ' && c < '\x7f') {
            label += c;
        } else {
            label += fmt::format("\\{:03}", static_cast<unsigned>(static_cast<unsigned char>(c)));
        }
    }
    return label;
}

std::optional<std::string> wire_sized(std::string_view name) {
    if (name.size() > 4 * longest_wire_name) return std::nullopt;
    if (name == ".") return std::string();
    std::size_t wire = 1;
    for (const auto label : labels_of(name)) {
        const std::size_t length = wire_length(label);
        if (length == 0 || length > longest_label) return std::nullopt;
        wire += 1 + length;
    }
    if (wire > longest_wire_name) return std::nullopt;
    return std::string(without_final_dot(name));
}

bool is_valid_hostname(std::string_view name) {
    if (name == ".") return true;  // as dns_lookup(3) has it
    if (name.empty() || name.size() > longest_wire_name || parse_address(name)) return false;
    const std::string_view rest = name.starts_with("*.") ? name.substr(2) : name == "*" ? "" : name;
    if (rest.empty()) return name == "*";
    bool all_digits = rest.size() == name.size();
    std::size_t label = 0;
    for (std::size_t at = 0; at < rest.size(); ++at) {
        const char c = rest[at];
        const bool last_of_label = at + 1 == rest.size() || rest[at + 1] == '.';
        if (c == '.') {
            if (label == 0 || at + 1 == rest.size()) return false;
            label = 0;
            continue;
        }
        if (c == '-' ? label == 0 || last_of_label : !text::is_alnum(c) && c != '_') return false;
        if (++label > longest_label) return false;
        all_digits = all_digits && text::is_digit(c);
    }
    return !all_digits;
}

bool same_name(std::string_view a, std::string_view b) {
    return text::equal_ignoring_case(without_final_dot(a), without_final_dot(b));
}

std::optional<std::string> reverse_name(std::string_view address) {
    const auto binary = parse_address(address);
    if (!binary) return std::nullopt;
    return reversed(*binary) + (binary->family == AF_INET ? "in-addr.arpa" : "ip6.arpa");
}

std::optional<std::string> dnsbl_name(std::string_view address, std::string_view list) {
    const auto binary = parse_address(address);
    if (!binary) return std::nullopt;
    return reversed(*binary).append(list);
}

std::optional<std::string> canonical_address(std::string_view address) {
    const auto binary = parse_address(address);
    if (!binary) return std::nullopt;
    std::array<char, INET6_ADDRSTRLEN> text{};
    inet_ntop(binary->family, binary->bytes.data(), text.data(), text.size());
    return std::string(text.data());
}

}  // namespace mta::dns
