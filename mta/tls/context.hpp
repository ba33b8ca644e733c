// mta/tls/context.hpp - what many TLS sessions have in common: certificates, authorities, protocols, ciphers.
//
// Made from plain values, never from files: the caller reads what main.cf names. Making one is costly (it parses PEM and
// loads keys), so a context_cache shares equal ones between the hosts of a world. A setting that Postfix would refuse
// makes no context; `problems` then says what Postfix logs. postconf(5): smtpd_tls_*, smtp_tls_*, tls_*_cipherlist.
#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

struct ssl_ctx_st;

namespace mta::tls {

enum class side : std::uint8_t { client, server };

// Of the peer's certificate, at a server: smtpd_tls_ask_ccert, smtpd_tls_req_ccert. A client's handshake never fails
// for a certificate; it judges afterwards (`verification` in tls_stream.hpp). So does a server that asks: the session
// decides ("No client certificate presented"), as smtpd(8) does.
enum class peer_certificate : std::uint8_t { not_asked, asked };

// One private key and its certificates, leaf first. `name` is the file, for messages only.
struct key_and_chain {
    std::string name;
    std::string key_pem;
    std::string certificates_pem;
    bool operator==(const key_and_chain&) const = default;
};

// The pairs in the text of a *_tls_chain_files file: each key comes before its certificates.
std::vector<key_and_chain> split_chain_file(std::string_view name, std::string_view pem);

struct context_settings {
    tls::side side = side::server;
    std::vector<key_and_chain> identities;          // *_tls_chain_files, *_tls_cert_file with *_tls_key_file; or none
    std::string authorities_pem;                    // *_tls_CAfile
    std::string authorities_name;                   // its path, for messages
    peer_certificate client_certificates = peer_certificate::not_asked;
    std::string protocols = ">=TLSv1";              // *_tls_protocols or *_tls_mandatory_protocols
    std::string cipher_grade = "medium";            // *_tls_ciphers: high, medium, low, export, null
    std::string exclude_ciphers;                    // *_tls_exclude_ciphers, and mandatory's where that applies
    bool prefer_server_ciphers = false;             // tls_preempt_cipherlist
    std::string eecdh_curves = "X25519 X448 prime256v1 secp521r1 secp384r1";    // tls_eecdh_auto_curves
    std::string fingerprint_digest = "sha256";      // *_tls_fingerprint_digest
    int verify_depth = 9;                           // *_tls_scert_verifydepth, smtpd_tls_ccert_verifydepth

    context_settings() = default;
    bool operator==(const context_settings&) const = default;
};

// "" when the list is good; else what Postfix logs of it. Sets the bounds that OpenSSL takes (0: none).
struct protocol_range {
    int lowest = 0, highest = 0;                    // 0x0301 for TLSv1 ... 0x0304
    std::uint64_t excluded = 0;                     // SSL_OP_NO_* bits
};
bool parse_protocols(std::string_view list, protocol_range& range);

class context {
  public:
    // Null when the settings are not good; the texts Postfix would log as warnings then stand in `problems`.
    static std::shared_ptr<const context> make(const context_settings& settings, std::vector<std::string>& problems);
    ~context();
    context(const context&) = delete;
    context& operator=(const context&) = delete;

    const context_settings& settings() const { return settings_; }
    ssl_ctx_st* native() const { return native_; }

  private:
    context(context_settings settings, ssl_ctx_st* native);
    context_settings settings_;
    ssl_ctx_st* native_;
};

// Shares contexts of equal settings. Belongs to one world; contexts outlive it where they are still in use.
class context_cache {
  public:
    context_cache();
    ~context_cache();
    std::shared_ptr<const context> find_or_make(const context_settings& settings, std::vector<std::string>& problems);
    std::size_t size() const { return by_content_.size(); }

  private:
    struct entry;
    std::map<std::string, entry, std::less<>> by_content_;
};

}  // namespace mta::tls
