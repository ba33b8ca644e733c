// mta/smtpd/session_auth.cpp - AUTH (RFC 4954, SASL_README).
#include <fmt/format.h>

#include <algorithm>

#include "mta/anvil/anvil.hpp"
#include "mta/master/mail_system.hpp"
#include "mta/sasl/server.hpp"
#include "mta/smtpd/session.hpp"
#include "mta/text/strings.hpp"

namespace mta::smtpd {

// What is offered depends on whether there is TLS; settings that leave nothing are the end of the process.
bool session::activate_sasl() {
    if (!sasl_active()) return true;
    const settings::sasl_offer& offer = sasl_offer();
    for (const std::string& each : offer.warnings) warn(each);
    if (offer.fatal.empty()) return true;
    log(maillog::remark{maillog::level::fatal, offer.fatal});
    died_ = true;
    return false;
}

task<session::verdict> session::auth(const address::command_line& line) {
    if (limited() && options_.auth_rate_limit > 0) {
        const int rate = server_.traffic().add(anvil::event::authentication, options_.service_name, counted_as_);
        if (rate > options_.auth_rate_limit) {
            warn(fmt::format("AUTH command rate limit exceeded: {} from {} for service {}", rate,
                             client_.name_and_address(), options_.service_name));
            co_return refuse(fmt::format("450 4.7.1 Error: too many AUTH commands from {}", client_.address),
                             notice::policy);
        }
    }
    if (options_.helo_required && helo_.empty())
        co_return refuse("503 5.5.1 Error: send HELO/EHLO first", notice::policy);
    if (!sasl_active() || !advertises(keyword::auth)) co_return refuse("503 5.5.1 Error: authentication not enabled");
    if (in_transaction()) co_return refuse("503 5.5.1 Error: MAIL transaction in progress");
    if (!sasl_username_.empty()) co_return refuse("503 5.5.1 Error: already authenticated");
    const auto parsed = address::parse_auth(line);
    if (const auto* refused = std::get_if<address::refusal>(&parsed)) co_return refuse(*refused);
    const address::auth_command command = std::get<address::auth_command>(parsed);
    const verdict last = co_await authenticate(command);
    co_return last;
}

task<session::verdict> session::authenticate(const address::auth_command& command) {
    const std::string who = client_.name_and_address();
    const auto failed = [&](sasl::code reason, const std::string& user) {
        warn(fmt::format("{}: SASL {:.100} authentication failed: {}, sasl_username={}", who, command.mechanism,
                         sasl::describe(reason), user.empty() ? "(unavailable)" : user));
        const std::string_view reply = reason == sasl::code::failed ? "454 4.7.0 Temporary authentication failure"
                                                                    : "535 5.7.8 Error: authentication failed";
        return refuse(fmt::format("{}: {}", reply, sasl::describe(reason)));
    };
    const std::unique_ptr<sasl::exchange> exchange = sasl::begin(command.mechanism, options_.realm);
    std::optional<std::string> message;
    if (command.initial_response) {
        sasl::decoded bytes = sasl::decode_base64(*command.initial_response);
        if (bytes.result != sasl::code::ok) co_return failed(bytes.result, "");
        message = std::move(bytes.bytes);
    }
    if (!exchange) {
        warn(fmt::format("SASL authentication failure: Couldn't find mech {}", command.mechanism));
        co_return failed(sasl::code::no_mechanism, "");
    }
    const sasl::code permitted = sasl::permitted(command.mechanism, sasl_offer().wanted);
    if (permitted != sasl::code::ok) co_return failed(permitted, "");
    // LOGIN takes the initial response for the answer to its first question.
    if (message && text::equal_ignoring_case(command.mechanism, "LOGIN")) exchange->next(std::nullopt);
    sasl::answer answer = exchange->next(message);
    while (answer.what == sasl::answer::kind::challenge) {
        reply("334 " + sasl::encode_base64(answer.challenge));
        const io_error unsent = co_await send();
        error_ = unsent;
        if (unsent != io_error::none) co_return verdict::lost;
        std::string text;
        const auto limit = static_cast<std::size_t>(options_.sasl_response_limit);
        const smtp_stream::line got = co_await stream_.read_line(text, limit, options_.timeout);
        error_ = got.error;
        if (error_ != io_error::none) co_return verdict::lost;
        if (got.end == smtp_stream::line_end::none) co_return refuse("500 5.5.6 SASL response limit exceeded");
        remember("In:  ", text);
        if (text == "*") {
            warn(fmt::format("{}: SASL {} authentication aborted", who, command.mechanism));
            co_return refuse("501 5.7.0 Authentication aborted");
        }
        const sasl::decoded bytes = sasl::decode_base64(text);
        if (bytes.result != sasl::code::ok) co_return failed(bytes.result, exchange->user());
        const std::optional<std::string> next = bytes.bytes;
        answer = exchange->next(next);
    }
    for (const std::string& each : answer.warnings) warn(each);
    if (answer.what == sasl::answer::kind::failure) co_return failed(answer.reason, exchange->user());
    sasl_method_ = command.mechanism;
    sasl_username_ = exchange->user();
    reply("235 2.7.0 Authentication successful");
    co_return verdict::good;
}

}  // namespace mta::smtpd
