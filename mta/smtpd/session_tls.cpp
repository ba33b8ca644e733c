// mta/smtpd/session_tls.cpp - STARTTLS, and what a client's certificate is worth (RFC 3207, TLS_README).
#include <fmt/format.h>

#include "mta/anvil/anvil.hpp"
#include "mta/master/mail_system.hpp"
#include "mta/smtpd/session.hpp"

namespace mta::smtpd {

task<session::verdict> session::start_tls(const address::command_line& line) {
    const auto parsed = address::parse_bare(line);
    if (const auto* refused = std::get_if<address::refusal>(&parsed)) co_return refuse(*refused);
    if (in_tls_) co_return refuse("554 5.5.1 Error: TLS already active");
    if (!options_.tls_available || !advertises(keyword::starttls))
        co_return refuse("502 5.5.1 Error: command not implemented");
    if (!options_.tls_context) co_return refuse("454 4.7.0 TLS not available due to local problem", notice::resource);
    if (limited() && options_.tls_rate_limit > 0 &&
        server_.traffic().count(anvil::event::tls_session, options_.service_name, counted_as_) >
            options_.tls_rate_limit) {
        const verdict last =
            refuse(fmt::format("454 4.7.0 Error: too many new TLS sessions from {}", client_.name_and_address()),
                   notice::policy);
        warn(fmt::format("Refusing STARTTLS request from {} for service {}", client_.name_and_address(),
                         options_.service_name));
        co_return last;
    }
    reply("220 2.0.0 Ready to start TLS");
    const io_error unsent = co_await send();
    error_ = unsent;
    if (unsent != io_error::none) co_return verdict::lost;
    const bool secured = co_await tls_handshake();
    if (!secured) co_return verdict::lost;
    if (limited() && options_.tls_rate_limit > 0) {
        const int rate = server_.traffic().add(anvil::event::tls_session, options_.service_name, counted_as_);
        if (rate > options_.tls_rate_limit) {
            note(notice::policy);
            reply(fmt::format("421 4.7.0 {} Error: too many new TLS sessions from {}", options_.myhostname,
                              client_.name_and_address()));
            warn(fmt::format("New TLS session rate limit exceeded: {} from {} for service {}", rate,
                             client_.name_and_address(), options_.service_name));
            co_return verdict::quit;
        }
    }
    helo_.clear();
    extended_ = false;
    // Logins that were not to be had before TLS are not reset by it: one that XCLIENT told of stays.
    if (options_.sasl_enabled && !options_.tls_auth_only) {
        sasl_method_.clear();
        sasl_username_.clear();
    }
    reset_transaction();
    if (!activate_sasl()) co_return verdict::quit;
    client_certificate_missing();
    co_return verdict::good;
}

// smtpd_tls_req_ccert: the handshake is good, but the session ends.
bool session::client_certificate_missing() {
    const bool trusted = tls_.trust == tls::trust::trusted || tls_.trust == tls::trust::verified;
    if (!options_.tls_require_certificate || trusted) return false;
    const std::string_view why =
        tls_.certificate_present ? "Client certificate not trusted" : "No client certificate presented";
    inform(fmt::format("NOQUEUE: abort: TLS from {}: {}", client_.name_and_address(), why));
    note(notice::policy);
    reply(fmt::format("421 4.7.1 {} Error: {}", options_.myhostname, why));
    return true;
}

task<bool> session::tls_handshake() {
    const time_point deadline = mail_.now() + options_.starttls_timeout;
    tls::accept_options wanted(client_.name_and_address(), mail_.now(), deadline, mail_.host().random("tls"));
    wanted.log_untrusted = options_.tls_log_level >= 2 || options_.tls_require_certificate;
    wanted.on_key = mail_.shared().on_tls_key;
    std::unique_ptr<byte_stream> clear = stream_.release();
    tls::handshake_result result = co_await tls::accept(std::move(clear), options_.tls_context, std::move(wanted));
    for (const tls::log_line& each : result.log) {
        log(maillog::remark{each.warning ? maillog::level::warning : maillog::level::info, each.text});
    }
    if (!result.stream) {
        error_ = io_error::end_of_stream;
        co_return false;
    }
    stream_.replace(std::move(result.stream));
    in_tls_ = true;
    tls_ = std::move(result.session);
    note_tls();
    co_return true;
}

void session::note_tls() {
    const std::string peer_name = client_.name_and_address();
    maillog::tls_established told;
    told.logged = options_.tls_log_level >= 1;
    told.trust = tls::name_of(tls_.trust);
    told.peer = peer_name;
    told.protocol = tls_.protocol;
    told.cipher = tls_.cipher;
    told.cipher_bits = tls_.cipher_bits;
    told.algorithm_bits = tls_.algorithm_bits;
    told.details = tls_.details;
    log(told);
}

}  // namespace mta::smtpd
