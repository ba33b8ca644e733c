// mta/tls/context.hpp - what many TLS sessions have in common: certificates, authorities, protocols, ciphers.
//
// Made from plain values, never from files: the caller reads what main.cf names. Making one is costly (it parses PEM
// and loads keys), so a context_cache shares equal ones between the hosts of a world. What Postfix refuses when it
// starts makes no context ("disabling TLS support"); what it refuses at each session (a client's protocols, any cipher
// grade) makes one whose every handshake fails with Postfix's words. postconf(5): smtpd_tls_*, smtp_tls_*,
// tls_*_cipherlist.
#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

struct ssl_ctx_st;

namespace mta::tls {

// What Postfix logs beside the lines of the session.
struct log_line {
    bool warning = false;  // "warning: " goes before it
    std::string text;
    bool operator==(const log_line&) const = default;
};

enum class side : std::uint8_t { client, server };

// Of the peer's certificate, at a server: smtpd_tls_ask_ccert, smtpd_tls_req_ccert. No handshake fails for a
// certificate: the session judges afterwards ("No client certificate presented"), as smtpd(8) and smtp(8) do.
enum class peer_certificate : std::uint8_t { not_asked, asked };

// One private key and its certificates, leaf first. The names are the files, for messages only.
struct key_and_chain {
    std::string key_name;
    std::string key_pem;
    std::string certificates_name;
    std::string certificates_pem;
    std::string kind = "RSA";  // RSA, DSA or ECDSA: the pair of parameters, for messages only
    int position = 0;          // of the key among the blocks of a chain file, from 1; 0: two files
    bool operator==(const key_and_chain&) const = default;
};

// The pairs in the text of a *_tls_chain_files file (or of a *_tls_cert_file that is its own *_tls_key_file): each key
// comes before its certificates. A text that holds none gives one pair without a key, which make() refuses. (For a file
// that cannot be opened Postfix logs "warning: error opening chain file: NAME: No such file or directory" and goes on
// without: give no pair.)
std::vector<key_and_chain> split_chain_file(std::string_view name, std::string_view pem);

struct context_settings {
    tls::side side = side::server;
    std::vector<key_and_chain> identities;  // *_tls_chain_files, *_tls_cert_file with *_tls_key_file; or none
    std::string authorities_name;           // *_tls_CAfile; "" for none
    std::string authorities_pem;            // its text; "" with a name is a file that cannot be opened
    peer_certificate client_certificates = peer_certificate::not_asked;
    std::string protocols = ">=TLSv1";    // *_tls_protocols or *_tls_mandatory_protocols
    std::string cipher_grade = "medium";  // *_tls_ciphers: high, medium, low, export, null
    std::string exclude_ciphers;          // *_tls_exclude_ciphers, and mandatory's where that applies
    bool prefer_server_ciphers = false;   // tls_preempt_cipherlist
    std::string eecdh_curves = "X25519 X448 prime256v1 secp521r1 secp384r1";  // tls_eecdh_auto_curves
    std::string fingerprint_digest = "sha256";                                // *_tls_fingerprint_digest
    int verify_depth = 9;  // smtp_tls_scert_verifydepth, smtpd_tls_ccert_verifydepth

    context_settings() = default;
    bool operator==(const context_settings&) const = default;
};

// What a list of protocols allows. False when it holds a word that is no protocol.
struct protocol_range {
    int lowest = 0, highest = 0;  // 0x0301 for TLSv1 ... 0x0304; 0: no bound
    std::uint64_t excluded = 0;   // SSL_OP_NO_* bits
};
bool parse_protocols(std::string_view list, protocol_range& range);

class context {
  public:
    // Null when Postfix would disable TLS. Either way `problems` gains the lines that Postfix logs when it starts.
    static std::shared_ptr<const context> make(const context_settings& settings, std::vector<log_line>& problems);
    ~context();
    context(const context&) = delete;
    context& operator=(const context&) = delete;

    const context_settings& settings() const { return settings_; }
    // Why no session can start, each with "%s" where the peer's name goes; empty when one can.
    const std::vector<log_line>& session_problems() const { return session_problems_; }
    // The cipher list as OpenSSL reads it.
    const std::string& cipher_list() const { return cipher_list_; }
    ssl_ctx_st* native() const { return native_; }

  private:
    context(context_settings settings, ssl_ctx_st* native);
    context_settings settings_;
    std::vector<log_line> session_problems_;
    std::string cipher_list_;
    ssl_ctx_st* native_;
};

// Shares contexts of equal settings. Belongs to one world: an RSA key remembers the blinding of its last use, so that
// worlds which shared a context would hear of each other.
class context_cache {
  public:
    std::shared_ptr<const context> find_or_make(const context_settings& settings, std::vector<log_line>& problems);
    std::size_t size() const { return by_content_.size(); }

  private:
    struct entry {
        std::shared_ptr<const context> made;
        std::vector<log_line> problems;
    };
    std::map<std::string, entry, std::less<>> by_content_;  // by a digest of the settings
};

}  // namespace mta::tls
