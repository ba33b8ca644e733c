// mta/smtp/session_tls.cpp - STARTTLS at the client's end: what the policy asks for, and what a failure means for the
// mail (RFC 3207, smtp_proto.c's smtp_start_tls).
#include <fmt/format.h>

#include "mta/master/mail_system.hpp"
#include "mta/smtp/session.hpp"
#include "mta/text/strings.hpp"
#include "mta/tls/from_parameters.hpp"

namespace mta::smtp {
namespace {

// "nexthop", "dot-nexthop" and "hostname" stand for names that the delivery brings.
std::vector<std::string> match_names(const tls_policy& policy, const std::string& next_hop, const std::string& host) {
    std::vector<std::string> names;
    for (const std::string& each : policy.match_names) {
        if (text::equal_ignoring_case(each, "nexthop")) {
            names.push_back(next_hop);
        } else if (text::equal_ignoring_case(each, "dot-nexthop")) {
            names.push_back("." + next_hop);
        } else if (text::equal_ignoring_case(each, "hostname")) {
            names.push_back(host);
        } else {
            names.push_back(each);
        }
    }
    return names;
}

std::string server_name(const tls_policy& policy, const std::string& next_hop, const std::string& host) {
    if (policy.server_name == "nexthop") return next_hop;
    return policy.server_name == "hostname" ? host : policy.server_name;
}

}  // namespace

task<bool> session::start_tls() {
    if (has(feature::starttls) && settings_.note_starttls_offer && !policy_.wanted())
        inform(fmt::format("Host offered STARTTLS: [{}]", host_.name));
    if (!policy_.wanted()) co_return true;
    if (!has(feature::starttls)) {
        if (!policy_.required()) co_return true;
        site_failed({"4.7.4", fmt::format("TLS is required, but was not offered by host {}", name_)});
        co_return false;
    }
    if (!settings_.tls_context) {
        if (!policy_.required()) co_return true;
        site_failed({"4.7.5", "TLS is required, but our TLS engine is unavailable"});
        co_return false;
    }
    doing_ = "receiving the STARTTLS response";
    reply answer;
    const bool answered = co_await exchange("STARTTLS", answer, settings_.starttls_timeout);
    if (!answered) co_return false;
    if (!answer.positive()) {
        clear(feature::starttls);
        if (!policy_.required()) co_return true;
        const std::string why =
            fmt::format("TLS is required, but host {} refused to start TLS: {}", name_, answer.one_line());
        site_failed(status_of(answer, why));
        co_return false;
    }
    const bool secured = co_await handshake();
    if (!secured) co_return false;
    // What was said in clear counts no more.
    link_->mechanisms.clear();
    clear(feature::auth);
    co_return co_await hello();
}

task<bool> session::handshake() {
    // What was encrypted for this process cannot go to another one.
    link_->reuse_until = {};
    const time_point deadline = mail_.now() + settings_.starttls_timeout;
    tls::connect_options options(relay_, mail_.now(), deadline, mail_.host().random("tls"));
    options.level = policy_.security();
    options.on_key = mail_.shared().on_tls_key;
    options.match_names = match_names(policy_, destination_.domain, host_.name);
    options.fingerprints = policy_.fingerprints;
    options.tlsa = policy_.records;
    options.needs_usable_records = policy_.dane_only;
    options.server_name = server_name(policy_, destination_.domain, host_.name);
    const auto context =
        tls::client_context_for(mail_, *settings_.tls_context, policy_.protocols, policy_.ciphers, *policy_.exclude);
    std::unique_ptr<byte_stream> clear_text = stream_.release();
    tls::handshake_result result = co_await tls::connect(std::move(clear_text), context, std::move(options));
    for (const tls::log_line& each : result.log) {
        const auto severity = each.warning ? maillog::level::warning : maillog::level::info;
        mail_.log(account_.agent(), {}, maillog::remark{severity, each.text});
    }
    if (!result.stream) {
        broken_ = true;
        retry_in_plaintext_ = may_retry_in_plaintext();
        if (retry_in_plaintext_) last_host_ = false;
        site_failed({"4.7.5", "Cannot start TLS: handshake failure"});
        co_return false;
    }
    stream_.replace(std::move(result.stream));
    link_->in_tls = true;
    const bool good_enough = result.session.matched || result.session.fell_back;
    if (policy_.half_dane && result.session.matched) {
        result.session.matched = false;
        result.session.trust = tls::trust::trusted;
    }
    link_->certificate_matched = result.session.matched;
    log_tls(result.session);
    if (tls::must_match(policy_.security()) && !good_enough) {
        site_failed({"4.7.5", "Server certificate not verified"});
        co_return false;
    }
    co_return true;
}

void session::log_tls(const tls::session_summary& told) const {
    maillog::tls_established line;
    line.logged = settings_.tls_log_level >= 1;
    line.at_client = true;
    line.trust = tls::name_of(told.trust);
    line.peer = relay_;
    line.protocol = told.protocol;
    line.cipher = told.cipher;
    line.cipher_bits = told.cipher_bits;
    line.algorithm_bits = told.algorithm_bits;
    line.details = told.details;
    mail_.log(account_.agent(), {}, line, link_->number);
}

// Mail that has waited for a while goes in clear rather than not at all; but no password does that was meant for TLS.
bool session::may_retry_in_plaintext() const {
    const delivery::request& work = account_.about();
    const bool old = work.became_active - work.file->arrived >= settings_.minimal_backoff;
    if (policy_.level != tls_level::may || !old) return false;
    bool failed = false;
    return !settings_.sasl.enabled || !find_credentials(failed);
}

}  // namespace mta::smtp
