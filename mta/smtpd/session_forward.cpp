// mta/smtpd/session_forward.cpp - XCLIENT and XFORWARD: clients that speak for others (XCLIENT_README,
// XFORWARD_README).
#include <fmt/format.h>

#include <algorithm>

#include "mta/address/host_name.hpp"
#include "mta/address/ip_address.hpp"
#include "mta/address/quote.hpp"
#include "mta/config/inet_protocols.hpp"
#include "mta/master/mail_system.hpp"
#include "mta/smtpd/session.hpp"
#include "mta/text/strings.hpp"

namespace mta::smtpd {
namespace {

constexpr std::string_view unavailable = "[UNAVAILABLE]", for_now = "[TEMPUNAVAIL]";
constexpr std::size_t longest_value = 255, longest_protocol = 64;

bool is_unknown(std::string_view value) {
    return text::equal_ignoring_case(value, unavailable) || text::equal_ignoring_case(value, for_now);
}

bool is_port(std::string_view value) {
    return !value.empty() && value.size() <= 5 && std::all_of(value.begin(), value.end(), text::is_digit);
}

// "192.0.2.1" or, where the mail system speaks IPv6, "IPv6:2001:db8::1"; an IPv4 address in IPv6's clothes is that
// IPv4 address.
std::optional<std::string> address_in(std::string_view value, bool allows_v6) {
    constexpr std::string_view prefix = "IPv6:";
    const bool v6 = text::starts_with_ignoring_case(value, prefix);
    const auto parsed = address::ip_address::parse(v6 ? value.substr(prefix.size()) : value);
    if (!parsed || parsed->is_v6() != v6 || (v6 && !allows_v6)) return std::nullopt;
    return parsed->unmapped().to_string();
}

// The value as meant: xtext undone; nothing when it is not well-formed.
std::optional<std::string> value_of(const std::string& sent) {
    return address::xtext_decode(sent);
}

std::string bad_syntax(std::string_view name, std::string_view value) {
    return fmt::format("501 5.5.4 Bad {} syntax: {}", name, value);
}

}  // namespace

task<session::verdict> session::xclient(const address::command_line& line) {
    if (in_transaction()) co_return refuse("503 5.5.1 Error: MAIL transaction in progress");
    if (line.arguments.size() >= 2 && xclient_ == table::outcome::error) {
        warn(fmt::format("don't know if command XCLIENT should be allowed from {}", client_.name_and_address()));
        co_return local_data_error();
    }
    if (line.arguments.size() >= 2 && xclient_ != table::outcome::found)
        co_return refuse("550 5.7.0 Error: insufficient authorization", notice::policy);
    const auto parsed = address::parse_attributes(line);
    if (const auto* refused = std::get_if<address::refusal>(&parsed)) co_return refuse(*refused);
    const auto& attributes = std::get<address::attribute_list>(parsed);
    const bool allows_v6 = config::inet_protocols::parse(mail_.parameters().text("inet_protocols")).ipv6;
    client_.keep_label();
    for (const auto& [sent_name, sent] : attributes) {
        if (sent.empty()) co_return refuse("501 5.5.4 Error: attribute=value expected");
        if (sent.size() > longest_value) co_return refuse("501 5.5.4 Error: attribute value too long");
        const std::string name = text::uppered(sent_name);
        const auto decoded = value_of(sent);
        if (!decoded) co_return refuse(bad_syntax(sent_name, sent));
        const std::string& value = *decoded;
        const bool unknown = is_unknown(value);
        const char status = !unknown ? '2' : text::equal_ignoring_case(value, for_now) ? '4' : '5';
        bool good = true;
        if (name == "NAME" || name == "REVERSE_NAME") {
            good = unknown || address::valid_hostname(value);
            if (good) {
                (name == "NAME" ? client_.name : client_.reverse_name) = unknown ? "unknown" : value;
                (name == "NAME" ? client_.name_status : client_.reverse_name_status) = status;
            }
            if (good && !unknown && name == "NAME") {  // until REVERSE_NAME says otherwise
                client_.reverse_name = value;
                client_.reverse_name_status = status;
            }
        } else if (name == "ADDR") {
            const auto address = unknown ? std::optional<std::string>("unknown") : address_in(value, allows_v6);
            good = address.has_value();
            if (good) client_.address = *address;
        } else if (name == "PORT") {
            good = unknown || is_port(value);
            if (good) client_.port = unknown ? 0 : static_cast<std::uint16_t>(text::to_number(value).value_or(0));
            if (good && options_.logs_client_port) client_.shown_port = unknown ? "unknown" : value;
        } else if (name == "HELO") {
            helo_ = unknown ? "" : address::neutered(value, options_.smtputf8);
        } else if (name == "PROTO") {
            const bool esmtp = text::equal_ignoring_case(value, "ESMTP");
            good = esmtp || text::equal_ignoring_case(value, "SMTP");
            if (good) extended_ = esmtp;
        } else if (name == "LOGIN") {
            sasl_username_ = unknown ? "" : value;
            sasl_method_ = unknown ? "" : "XCLIENT";
        } else if (name == "DESTADDR") {
            const auto address = unknown ? std::nullopt : address_in(value, allows_v6);
            good = unknown || address;
            if (address) local_.address = *address::ip_address::parse(*address);
        } else if (name == "DESTPORT") {
            good = unknown || is_port(value);
            if (good && !unknown) local_.port = static_cast<std::uint16_t>(text::to_number(value).value_or(0));
        } else {
            co_return refuse(fmt::format("501 5.5.4 Bad XCLIENT attribute name: {}", sent_name));
        }
        if (!good) co_return refuse(bad_syntax(name, address::neutered(value, options_.smtputf8)));
    }
    // What is not said anew is forgotten: the client has not introduced itself, nor logged in.
    const auto said = [&](std::string_view which) {
        return std::any_of(attributes.begin(), attributes.end(),
                           [&](const auto& each) { return text::equal_ignoring_case(each.first, which); });
    };
    if (!said("HELO")) helo_.clear();
    if (!said("PROTO")) extended_ = false;
    if (!said("LOGIN")) {
        sasl_username_.clear();
        sasl_method_.clear();
    }
    client_.known_as.reset();
    reset_transaction();
    // The session begins anew for the client that it is now; what it was is told of.
    flush_history(0);
    if (counted_) server_.traffic().disconnect(options_.service_name, counted_as_);
    counted_ = false;
    denied_.clear();
    command_ = "XCLIENT";
    const bool greeted = co_await greet();
    command_.clear();
    co_return greeted ? verdict::good : verdict::quit;
}

task<session::verdict> session::xforward(const address::command_line& line) {
    if (in_transaction()) co_return refuse("503 5.5.1 Error: MAIL transaction in progress");
    if (line.arguments.size() >= 2 && xforward_ == table::outcome::error) {
        warn(fmt::format("don't know if command XFORWARD should be allowed from {}", client_.name_and_address()));
        co_return local_data_error();
    }
    if (line.arguments.size() >= 2 && xforward_ != table::outcome::found)
        co_return refuse("550 5.7.0 Error: insufficient authorization", notice::policy);
    const auto parsed = address::parse_attributes(line);
    if (const auto* refused = std::get_if<address::refusal>(&parsed)) co_return refuse(*refused);
    const bool allows_v6 = config::inet_protocols::parse(mail_.parameters().text("inet_protocols")).ipv6;
    constexpr std::string_view names[] = {"NAME", "ADDR", "PORT", "PROTO", "HELO", "IDENT", "SOURCE"};
    for (const auto& [sent_name, sent] : std::get<address::attribute_list>(parsed)) {
        if (sent.empty()) co_return refuse("501 5.5.4 Error: attribute=value expected");
        if (sent.size() > longest_value) co_return refuse("501 5.5.4 Error: attribute value too long");
        const std::string name = text::uppered(sent_name);
        if (std::find(std::begin(names), std::end(names), name) == std::end(names)) {
            co_return refuse(fmt::format("501 5.5.4 Bad XFORWARD attribute name: {}", sent_name));
        }
        const auto decoded = value_of(sent);
        if (!decoded) co_return refuse(bad_syntax(sent_name, sent));
        const bool unknown = is_unknown(*decoded);
        const std::string shown = address::neutered(*decoded, options_.smtputf8);
        std::string value = unknown ? "" : shown;
        bool good = true;
        if (name == "NAME") good = unknown || address::valid_hostname(value);
        if (name == "PORT") good = unknown || is_port(value);
        if (name == "SOURCE") {
            good = unknown || text::equal_ignoring_case(value, "LOCAL") || text::equal_ignoring_case(value, "REMOTE");
        }
        if (name == "ADDR" && !unknown) {
            const auto address = address_in(value, allows_v6);
            good = address.has_value();
            if (good) value = *address;
        }
        if (name == "PROTO") good = value.size() <= longest_protocol;
        if (!good) co_return refuse(bad_syntax(name, shown));
        forwarded_[name] = std::move(value);
    }
    reply("250 2.0.0 Ok");
    co_return verdict::good;
}

}  // namespace mta::smtpd
