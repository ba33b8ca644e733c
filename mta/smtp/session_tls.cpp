// mta/smtp/session_tls.cpp - STARTTLS at the client's end: what the level asks for, and what a failure means for the
// mail (RFC 3207, smtp_proto.c's smtp_start_tls).
#include <fmt/format.h>

#include "mta/master/mail_system.hpp"
#include "mta/smtp/session.hpp"

namespace mta::smtp {

task<bool> session::start_tls() {
    const tls::security_level level = *settings_.tls_level;
    const bool required = level != tls::security_level::may;
    if (!has(feature::starttls)) {
        if (!required) co_return true;
        site_failed({"4.7.4", fmt::format("TLS is required, but was not offered by host {}", name_)});
        co_return false;
    }
    if (!settings_.tls_context) {
        if (!required) co_return true;
        site_failed({"4.7.5", "TLS is required, but our TLS engine is unavailable"});
        co_return false;
    }
    doing_ = "receiving the STARTTLS response";
    reply answer;
    const bool answered = co_await exchange("STARTTLS", answer, settings_.starttls_timeout);
    if (!answered) co_return false;
    if (!answer.positive()) {
        if (!required) co_return true;
        const std::string why =
            fmt::format("TLS is required, but host {} refused to start TLS: {}", name_, answer.one_line());
        site_failed(status_of(answer, why));
        co_return false;
    }
    const bool secured = co_await handshake();
    if (!secured) co_return false;
    in_tls_ = true;
    doing_ = "performing the EHLO handshake";
    co_return co_await hello();
}

task<bool> session::handshake() {
    const tls::security_level level = *settings_.tls_level;
    const time_point deadline = mail_.now() + settings_.starttls_timeout;
    tls::connect_options options(relay_, mail_.now(), deadline, mail_.host().random("tls"));
    options.level = level;
    options.on_key = mail_.shared().on_tls_key;
    std::unique_ptr<byte_stream> clear = stream_.release();
    tls::handshake_result result = co_await tls::connect(std::move(clear), settings_.tls_context, std::move(options));
    for (const tls::log_line& each : result.log) {
        const auto severity = each.warning ? maillog::level::warning : maillog::level::info;
        mail_.log(account_.agent(), {}, maillog::remark{severity, each.text});
    }
    if (!result.stream) {
        // Mail that has waited for a while goes in clear rather than not at all.
        const delivery::request& work = account_.about();
        retry_in_plaintext_ =
            level == tls::security_level::may && work.became_active - work.file->arrived >= settings_.minimal_backoff;
        if (retry_in_plaintext_) last_host_ = false;
        site_failed({"4.7.5", "Cannot start TLS: handshake failure"});
        co_return false;
    }
    stream_.replace(std::move(result.stream));
    maillog::tls_established told;
    told.logged = settings_.tls_log_level >= 1;
    told.at_client = true;
    told.trust = tls::name_of(result.session.trust);
    told.peer = relay_;
    told.protocol = result.session.protocol;
    told.cipher = result.session.cipher;
    told.cipher_bits = result.session.cipher_bits;
    told.algorithm_bits = result.session.algorithm_bits;
    told.details = result.session.details;
    mail_.log(account_.agent(), {}, told, connection_);
    co_return true;
}

}  // namespace mta::smtp
