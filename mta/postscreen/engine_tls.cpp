// STARTTLS in the server of few words: the handshake is tlsproxy(8)'s, and so is what the log has of it.
#include <fmt/format.h>

#include "mta/master/mail_system.hpp"
#include "mta/postscreen/screening.hpp"

namespace mta::postscreen {

void screening::log_tlsproxy(const std::string& text, maillog::level severity) {
    mail_.log(mail_.process_of("tlsproxy"), {}, maillog::remark{severity, text});
}

// Whether there is a tlsproxy(8) that can do it.
bool screening::ask_tlsproxy() {
    if (!mail_.transport("tlsproxy")) {
        mail_.warn(server_.process(), "connect to private/tlsproxy service: No such file or directory");
        return false;
    }
    if (server_.first_use_of_tlsproxy()) {
        for (const std::string& each : options_.tlsproxy_warnings) log_tlsproxy(each, maillog::level::warning);
    }
    log_tlsproxy("CONNECT from " + client_);
    if (options_.tls_context) return true;
    mail_.warn(server_.process(), "problem receiving status from private/tlsproxy service");
    tlsproxy_gives_up();
    return false;
}

void screening::tlsproxy_gives_up() {
    log_tlsproxy("TLS handshake failed for service=smtpd peer=" + client_);
    log_tlsproxy("DISCONNECT " + client_);
}

task<bool> screening::start_tls() {
    const duration limit = server_.limit(options_.command_time_limit);
    const io_error unsent = co_await talk_->flush(limit);
    if (unsent != io_error::none) {
        tlsproxy_gives_up();
        co_return false;
    }
    const time_point deadline = mail_.now() + limit;
    tls::accept_options wanted(client_, mail_.now(), deadline, mail_.host().random("tls"));
    wanted.on_key = mail_.shared().on_tls_key;
    std::unique_ptr<byte_stream> clear = talk_->release();
    tls::handshake_result result = co_await tls::accept(std::move(clear), options_.tls_context, std::move(wanted));
    for (const tls::log_line& each : result.log) {
        if (each.warning) log_tlsproxy(each.text, maillog::level::warning);
    }
    if (!result.stream) {
        tlsproxy_gives_up();
        co_return false;
    }
    talk_->replace(std::move(result.stream));
    in_tls_ = true;
    helo_.clear();
    sender_.reset();
    maillog::tls_established told;
    told.logged = options_.tlsproxy_log_level >= 1;
    told.trust = tls::name_of(result.session.trust);
    told.peer = client_;
    told.protocol = result.session.protocol;
    told.cipher = result.session.cipher;
    told.cipher_bits = result.session.cipher_bits;
    told.algorithm_bits = result.session.algorithm_bits;
    told.details = result.session.details;
    mail_.log(mail_.process_of("tlsproxy"), {}, told);
    co_return true;
}

}  // namespace mta::postscreen
