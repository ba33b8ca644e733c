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

task<verdict> evaluation::check_policy_service(const call& c) {
    const auto found = settings_.policies.find(c.argument);
    if (found == settings_.policies.end()) {
        warn(fmt::format("check_policy_service: no client endpoint for server {}", c.argument));
        co_return configuration_error();
    }
    const policy_service& service = found->second;
    const subject about{c.about.name, c.about.about, c.about.default_check};
    std::string action;
    bool answered = false;
    const bool is_unix = service.endpoint.starts_with(unix_prefix);
    const auto where = is_unix ? std::nullopt : parse_inet(service.endpoint);
    const std::string shown = where ? fmt::format("{}:{}", where->host, where->port)
                                    : service.endpoint.substr(service.endpoint.find(':') + 1);
    std::optional<endpoint> socket;
    if (is_unix) socket = mail_.host().unix_socket(shown);
    const std::string request = policy_request(service);
    for (std::int64_t attempt = 0; attempt < service.try_limit && !answered; ++attempt) {
        if (attempt > 0) co_await sleep_for(mail_.clock(), service.retry_delay);
        std::string why = is_unix ? std::string(no_socket) : "Connection refused";
        if (is_unix && !socket) warn(fmt::format("connect to {}: {}", shown, why));
        if (where || socket) {
            std::optional<endpoint> remote_end = socket;
            if (where) {
                const host_addresses addresses = co_await addresses_of(where->host);
                if (!addresses.addresses.empty()) {
                    const auto parsed = address::ip_address::parse(addresses.addresses.front());
                    remote_end = endpoint{parsed.value_or(address::ip_address()), where->port};
                }
            }
            connect_result made;
            made.error = io_error::refused;
            if (remote_end) {
                const endpoint remote = *remote_end;
                const time_point deadline = mail_.now() + service.timeout;
                const std::optional<address::ip_address> any;
                made = co_await mail_.host().connect(remote, any, deadline);
            }
            if (made.stream) {
                smtp_stream talk(std::move(made.stream), mail_.clock());
                talk.put(request);
                io_error broken = co_await talk.flush(service.timeout);
                std::string line;
                for (std::size_t lines = 0; broken == io_error::none && lines < most_lines; ++lines) {
                    const smtp_stream::line got = co_await talk.read_line(line, longest_line, service.timeout);
                    broken = got.error;
                    if (broken != io_error::none || line.empty()) break;
                    constexpr std::string_view wanted = "action=";
                    if (line.substr(0, wanted.size()) == wanted) action = line.substr(wanted.size());
                }
                answered = broken == io_error::none && !action.empty();
                why = broken == io_error::timed_out ? "Connection timed out" : "Success";
            } else {
                why = std::string(describe(made.error));
                warn(fmt::format("connect to {}: {}", shown, why));
            }
        }
        // A socket that is not there may be made a moment later: told once all attempts have failed.
        const bool last = attempt + 1 >= service.try_limit;
        if (!answered && (last || why != no_socket)) warn(fmt::format("problem talking to server {}: {}", shown, why));
    }
    if (!answered) {
        // A default action that asks the same server again gets Postfix's own.
        action = policy_depth_ == 0 ? service.default_action : "451 4.3.5 Server configuration problem";
    }
    ++policy_depth_;
    said_.table = service.name;
    said_.value = action;
    const verdict got = co_await act(service.endpoint, action, "policy query", about);
    --policy_depth_;
    co_return got;
}

}  // namespace mta::smtpd
