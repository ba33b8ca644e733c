// check_policy_service: a server elsewhere decides, told by name=value lines (SMTPD_POLICY_README).
//
// Endpoints are inet:host:port, and unix:path where the host has a program with that socket. A server that cannot be
// asked counts as its default action.
#include <fmt/format.h>

#include "mta/smtpd/access_evaluation.hpp"
#include "mta/stream/smtp_stream.hpp"
#include "mta/text/strings.hpp"

namespace mta::smtpd {
namespace {

constexpr std::size_t longest_line = 4096, most_lines = 100;

constexpr std::string_view unix_prefix = "unix:", no_socket = "No such file or directory";

struct endpoint_text {
    std::string host;
    std::uint16_t port = 0;
};

std::optional<endpoint_text> parse_inet(std::string_view text) {
    constexpr std::string_view inet = "inet:";
    if (text.substr(0, inet.size()) == inet) text.remove_prefix(inet.size());
    const auto colon = text.rfind(':');
    const auto port = text::to_number(text.substr(colon == std::string_view::npos ? 0 : colon + 1));
    if (!port || *port < 1 || *port > 65535) return std::nullopt;
    std::string_view host = colon == std::string_view::npos ? "localhost" : text.substr(0, colon);
    if (host.size() > 2 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
    return endpoint_text{std::string(host.empty() ? "localhost" : host), static_cast<std::uint16_t>(*port)};
}

// An endpoint as it is written, "unix:private/policy" or "inet:host:port", and as warnings show it.
struct policy_place {
    bool is_socket;
    std::optional<endpoint_text> inet;
    std::string shown;
    explicit policy_place(std::string_view endpoint) : is_socket(endpoint.starts_with(unix_prefix)) {
        if (!is_socket) inet = parse_inet(endpoint);
        shown =
            inet ? fmt::format("{}:{}", inet->host, inet->port) : std::string(endpoint.substr(endpoint.find(':') + 1));
    }
};

}  // namespace

// All attributes of Postfix 3.7, in its order.
std::string evaluation::policy_request(const policy_service& service) {
    if (memory_.policy_instance.empty()) {
        const auto since_epoch =
            std::chrono::duration_cast<std::chrono::microseconds>(mail_.now().time_since_epoch()).count();
        constexpr std::int64_t second = 1'000'000;
        memory_.policy_instance = fmt::format("{:x}.{:x}.{:x}.0", by_.pid, since_epoch / second, since_epoch % second);
    }
    const peer& client = *facts_.client;
    const std::pair<std::string_view, std::string> attributes[] = {
        {"request", "smtpd_access_policy"},
        {"protocol_state", std::string(stage_name_)},
        {"protocol_name", facts_.protocol},
        {"client_address", client.address},
        {"client_name", client.name},
        {"client_port", std::to_string(client.port)},
        {"reverse_client_name", client.reverse_name},
        {"server_address", facts_.server.address.to_string()},
        {"server_port", std::to_string(facts_.server.port)},
        {"helo_name", facts_.helo},
        {"sender", sender_.value_or("")},
        {"recipient", recipient_.value_or("")},
        {"recipient_count",
         std::to_string(stage_name_ == "RCPT" || stage_name_ == "VRFY" ? 0 : facts_.recipient_count)},
        {"queue_id", facts_.queue_id},
        {"instance", memory_.policy_instance},
        {"size", std::to_string(facts_.message_size)},
        {"etrn_domain", facts_.etrn_domain},
        {"stress", ""},
        {"sasl_method", facts_.sasl_method},
        {"sasl_username", facts_.sasl_username},
        {"sasl_sender", facts_.sasl_sender},
        {"ccert_subject", facts_.certificate.subject},
        {"ccert_issuer", facts_.certificate.issuer},
        {"ccert_fingerprint", facts_.certificate.fingerprint},
        {"ccert_pubkey_fingerprint", facts_.certificate.public_key_fingerprint},
        {"encryption_protocol", facts_.tls_protocol},
        {"encryption_cipher", facts_.tls_cipher},
        {"encryption_keysize", std::to_string(facts_.tls_key_bits)},
        {"policy_context", service.context}};
    std::string out;
    for (const auto& [name, value] : attributes) out += fmt::format("{}={}\n", name, value);
    return out + "\n";
}

// What a server's connection has to say to one request.
task<policy_attempt> evaluation::talk_to_policy_server(std::unique_ptr<byte_stream> stream,
                                                       const policy_service& service, const std::string& request) {
    constexpr std::string_view wanted = "action=";
    policy_attempt result;
    smtp_stream talk(std::move(stream), mail_.clock());
    talk.put(request);
    io_error broken = co_await talk.flush(service.timeout);
    std::string line;
    for (std::size_t lines = 0; broken == io_error::none && lines < most_lines; ++lines) {
        const smtp_stream::line got = co_await talk.read_line(line, longest_line, service.timeout);
        broken = got.error;
        if (broken != io_error::none || line.empty()) break;
        if (line.starts_with(wanted)) result.action = line.substr(wanted.size());
    }
    result.answered = broken == io_error::none && !result.action.empty();
    result.why = broken == io_error::timed_out ? "Connection timed out" : "Success";
    co_return result;
}

// One connection and one question. Where there is no server, what was logged of that is the reason.
task<policy_attempt> evaluation::ask_policy_server(const policy_service& service, const std::string& request) {
    const policy_place place(service.endpoint);
    policy_attempt result;
    std::optional<endpoint> remote;
    if (place.is_socket) {
        remote = mail_.host().unix_socket(place.shown);
        if (!remote) {
            result.why = no_socket;
            warn(fmt::format("connect to {}: {}", place.shown, result.why));
            co_return result;
        }
    } else if (!place.inet) {
        co_return result;
    } else {
        const host_addresses found = co_await addresses_of(place.inet->host);
        if (!found.addresses.empty()) {
            const auto parsed = address::ip_address::parse(found.addresses.front());
            remote = endpoint{parsed.value_or(address::ip_address()), place.inet->port};
        }
    }
    connect_result made;
    made.error = io_error::refused;
    if (remote) {
        const endpoint there = *remote;
        const time_point deadline = mail_.now() + service.timeout;
        const std::optional<address::ip_address> any;
        connect_result connected = co_await mail_.host().connect(there, any, deadline);
        made = std::move(connected);
    }
    if (!made.stream) {
        result.why = std::string(describe(made.error));
        warn(fmt::format("connect to {}: {}", place.shown, result.why));
        co_return result;
    }
    policy_attempt told = co_await talk_to_policy_server(std::move(made.stream), service, request);
    co_return told;
}

task<verdict> evaluation::check_policy_service(const call& c) {
    const auto found = settings_.policies.find(c.argument);
    if (found == settings_.policies.end()) {
        warn(fmt::format("check_policy_service: no client endpoint for server {}", c.argument));
        co_return configuration_error();
    }
    const policy_service& service = found->second;
    const subject about{c.about.name, c.about.about, c.about.default_check};
    const std::string shown = policy_place(service.endpoint).shown;
    const std::string request = policy_request(service);
    // A default action that asks the same server again gets Postfix's own.
    std::string action = policy_depth_ == 0 ? service.default_action : "451 4.3.5 Server configuration problem";
    for (std::int64_t attempt = 1; attempt <= service.try_limit; ++attempt) {
        if (attempt > 1) co_await sleep_for(mail_.clock(), service.retry_delay);
        policy_attempt got = co_await ask_policy_server(service, request);
        if (got.answered) {
            action = std::move(got.action);
            break;
        }
        // A socket that is not there may be made a moment later: told once all attempts have failed.
        if (attempt == service.try_limit || got.why != no_socket)
            warn(fmt::format("problem talking to server {}: {}", shown, got.why));
    }
    ++policy_depth_;
    said_.table = service.name;
    said_.value = action;
    const verdict got = co_await act(service.endpoint, action, "policy query", about);
    --policy_depth_;
    co_return got;
}

}  // namespace mta::smtpd
