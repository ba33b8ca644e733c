// mta/smtp/session_forward.cpp - XFORWARD: the next server learns from whom a message came here
// (XFORWARD_README, smtp_send_xforward_command).
#include <algorithm>

#include "mta/address/quote.hpp"
#include "mta/master/mail_system.hpp"
#include "mta/smtp/session.hpp"
#include "mta/text/strings.hpp"

namespace mta::smtp {
namespace {

constexpr std::string_view of_client[] = {"NAME", "ADDR", "PORT"};
constexpr std::string_view of_session[] = {"PROTO", "HELO", "IDENT", "SOURCE"};

// "" for what is not known: what was submitted here had no client.
std::string attribute(const queue::queue_file& file, std::string_view name) {
    const queue::origin& from = file.from;
    if (name == "SOURCE") return from.local ? "LOCAL" : "REMOTE";
    if (from.protocol.empty()) return {};
    if (name == "NAME") return from.client_name;
    if (name == "ADDR") {
        const bool v6 = from.client_address.find(':') != std::string::npos;
        return v6 ? "IPv6:" + from.client_address : from.client_address;
    }
    if (name == "PORT") return from.client_port;
    if (name == "PROTO") return from.protocol;
    if (name == "HELO") return from.helo;
    return from.log_identifier.empty() ? file.id : from.log_identifier;
}

}  // namespace

void session::read_forwarding(const std::vector<std::string_view>& words) {
    for (const std::string_view each : words) link_->forwarded.push_back(text::uppered(each));
}

// "" when nothing that the server takes is known.
std::string session::forward_command(std::span<const std::string_view> names) const {
    std::string line;
    for (const std::string_view name : names) {
        const auto& taken = link_->forwarded;
        if (std::find(taken.begin(), taken.end(), name) == taken.end()) continue;
        const std::string value = attribute(*account_.about().file, name);
        if (value.empty()) continue;
        if (line.empty()) line = "XFORWARD";
        ((line += ' ') += name) += '=';
        line += address::xtext_encode(value, "");
    }
    return line;
}

void session::add_forwarding(std::vector<command>& to) const {
    std::string client = forward_command(of_client), conversation = forward_command(of_session);
    if (!client.empty()) to.push_back({transaction_step::forward_name, 0, std::move(client)});
    if (!conversation.empty()) to.push_back({transaction_step::forward_protocol, 0, std::move(conversation)});
}

}  // namespace mta::smtp
