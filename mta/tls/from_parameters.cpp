#include "mta/tls/from_parameters.hpp"

#include "mta/config/parameters.hpp"
#include "mta/master/mail_system.hpp"

namespace mta::tls {
namespace {

// Chain files hold a key before its certificates; the older parameters name a certificate and a key file.
std::vector<key_and_chain> identities(master::mail_system& mail, const config::parameters& p, const std::string& prefix,
                                      const maillog::process& by) {
    Host& host = mail.host();
    std::vector<key_and_chain> result;
    const auto chains = p.words(prefix + "chain_files");
    for (const std::string& file : chains) {
        const auto text = host.read_file(file);
        if (!text) {
            mail.warn(by, "error opening chain file: " + file + ": No such file or directory");
            break;
        }
        for (key_and_chain& each : split_chain_file(file, *text)) result.push_back(std::move(each));
    }
    if (!chains.empty()) return result;
    struct pair_of_files {
        const char *prefix, *kind;
    };
    for (const auto& [middle, kind] : {pair_of_files{"", "RSA"}, {"d", "DSA"}, {"ec", "ECDSA"}}) {
        const std::string certificate = p.text(prefix + middle + "cert_file");
        if (certificate.empty() || certificate == "none") continue;
        key_and_chain pair;
        pair.certificates_name = certificate;
        pair.key_name = p.text(prefix + middle + "key_file");
        pair.kind = kind;
        pair.certificates_pem = host.read_file(pair.certificates_name).value_or("");
        pair.key_pem = host.read_file(pair.key_name).value_or("");
        result.push_back(std::move(pair));
    }
    return result;
}

std::shared_ptr<const context> make(master::mail_system& mail, const context_settings& settings,
                                    const maillog::process& by) {
    std::vector<log_line> problems;
    auto made = mail.shared().tls_contexts.find_or_make(settings, problems);
    for (const log_line& each : problems) {
        mail.log(by, {}, maillog::remark{each.warning ? maillog::level::warning : maillog::level::info, each.text});
    }
    return made;
}

}  // namespace

std::shared_ptr<const context> client_context(master::mail_system& mail, const config::parameters& p,
                                              const std::string& prefix, security_level level) {
    const std::string tls = prefix + "tls_";
    const bool mandatory = level != security_level::may;
    context_settings settings;
    settings.side = side::client;
    settings.identities = identities(mail, p, tls, mail.process_of("smtp"));
    settings.authorities_name = p.text(tls + "CAfile");
    if (!settings.authorities_name.empty())
        settings.authorities_pem = mail.host().read_file(settings.authorities_name).value_or("");
    settings.protocols = p.text(tls + (mandatory ? "mandatory_protocols" : "protocols"));
    settings.cipher_grade = p.text(tls + (mandatory ? "mandatory_ciphers" : "ciphers"));
    settings.exclude_ciphers = p.text(tls + "exclude_ciphers");
    if (mandatory) settings.exclude_ciphers += " " + p.text(tls + "mandatory_exclude_ciphers");
    settings.eecdh_curves = p.text("tls_eecdh_auto_curves");
    settings.fingerprint_digest = p.text(tls + "fingerprint_digest");
    settings.verify_depth = static_cast<int>(p.number(tls + "scert_verifydepth"));
    return make(mail, settings, mail.process_of("smtp"));
}

std::shared_ptr<const context> server_context(master::mail_system& mail, const config::parameters& p, bool encrypt,
                                              const maillog::process& by) {
    context_settings settings;
    settings.side = side::server;
    settings.identities = identities(mail, p, "smtpd_tls_", by);
    settings.authorities_name = p.text("smtpd_tls_CAfile");
    if (!settings.authorities_name.empty())
        settings.authorities_pem = mail.host().read_file(settings.authorities_name).value_or("");
    if (p.flag("smtpd_tls_ask_ccert") || (encrypt && p.flag("smtpd_tls_req_ccert")))
        settings.client_certificates = peer_certificate::asked;
    settings.protocols = p.text(encrypt ? "smtpd_tls_mandatory_protocols" : "smtpd_tls_protocols");
    settings.cipher_grade = p.text(encrypt ? "smtpd_tls_mandatory_ciphers" : "smtpd_tls_ciphers");
    settings.exclude_ciphers = p.text("smtpd_tls_exclude_ciphers");
    if (encrypt) settings.exclude_ciphers += " " + p.text("smtpd_tls_mandatory_exclude_ciphers");
    settings.prefer_server_ciphers = p.flag("tls_preempt_cipherlist");
    settings.eecdh_curves = p.text("tls_eecdh_auto_curves");
    settings.fingerprint_digest = p.text("smtpd_tls_fingerprint_digest");
    settings.verify_depth = static_cast<int>(p.number("smtpd_tls_ccert_verifydepth"));
    return make(mail, settings, by);
}

}  // namespace mta::tls
