// mta/tls/tls_stream.hpp - a TLS session over any byte_stream, and what Postfix says of it.
//
// accept() and connect() take over a connection right after the reply to STARTTLS (RFC 3207) and give a byte_stream of
// plaintext. A failed handshake closes the lower stream (with TLS's alert, best effort) and leaves the lines that
// Postfix logs. A broken record later ends reads and writes with io_error::tls_failed; a connection that ends without
// close_notify reads as end_of_stream, as Postfix takes it. postconf(5) smtp_tls_*, smtpd_tls_*; TLS_README.
#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "mta/async/scheduler.hpp"
#include "mta/async/task.hpp"
#include "mta/random.hpp"
#include "mta/stream/byte_stream.hpp"
#include "mta/tls/context.hpp"

namespace mta::tls {

// smtp_tls_security_level, from may up. fingerprint and dane check the certificate against records, verify and secure
// its chain and name.
enum class security_level : std::uint8_t { may, encrypt, fingerprint, dane, verify, secure };
constexpr bool must_match(security_level level) {
    return level >= security_level::fingerprint;
}

// A TLSA record (RFC 6698): usage 2 or 3; others are ignored as Postfix does.
struct tlsa_record {
    std::uint8_t usage = 3, selector = 1, matching_type = 1;
    std::string data;  // binary
};

std::string hexadecimal(std::string_view binary);  // as the log has it: "0AFF"

// A line of NSS key log: "CLIENT_RANDOM ...", no end of line.
using key_log = std::function<void(std::string_view line)>;

struct handshake_options {
    std::string peer;             // as logged: "mail.york.cc[192.168.137.5]" at a server, with ":25" at a client
    time_point now;               // certificates are judged by this moment
    time_point deadline = never;  // of the whole handshake: *_starttls_timeout
    random_source* random;        // four numbers are drawn from it; never null
    key_log on_key;               // optional
    // Optional: what Postfix logs when a record is broken after the handshake ("TLS library problem: ...").
    std::function<void(const log_line&)> on_problem;

    handshake_options(std::string peer, time_point now, time_point deadline, random_source& random)
        : peer(std::move(peer)), now(now), deadline(deadline), random(&random) {}
};

struct accept_options : handshake_options {
    using handshake_options::handshake_options;
    bool log_untrusted = false;  // smtpd_tls_req_ccert: say why a client's certificate is not trusted
};

struct connect_options : handshake_options {
    using handshake_options::handshake_options;
    security_level level = security_level::may;
    std::string server_name;               // SNI; "" sends none
    std::vector<std::string> match_names;  // verify, secure: "mail.york.cc", or ".york.cc" for what is below it
    std::vector<std::string>
        fingerprints;                   // fingerprint: "AB:CD:..." or "abcd...", of the certificate or the public key
    std::vector<tlsa_record> tlsa;      // dane; at verify and secure: trust anchors to use instead of the CA file
    bool needs_usable_records = false;  // dane: else the session goes on unauthenticated when none can be used
};

enum class trust : std::uint8_t { anonymous, untrusted, trusted, verified };
std::string_view name_of(trust how);  // "Anonymous", ... as logged

struct session_summary {
    std::string protocol;                     // "TLSv1.3"
    std::string cipher;                       // "TLS_AES_256_GCM_SHA384"
    int cipher_bits = 0, algorithm_bits = 0;  // the used and the possible: "(256/256 bits)"
    // What follows "(256/256 bits)" in the log and in Received headers, with its leading space:
    // " key-exchange X25519 server-signature ECDSA (P-256) server-digest SHA256"
    std::string details;

    tls::trust trust = trust::anonymous;
    bool certificate_present = false;
    bool matched = false;          // name, fingerprint or TLSA record
    bool fell_back = false;        // dane: no record could be used, and the session may do without
    std::string peer_common_name;  // "" when there is none; made printable as Postfix does
    std::string issuer_common_name;
    std::string certificate_fingerprint;  // "AB:CD:..." by settings().fingerprint_digest
    std::string public_key_fingerprint;
};

struct handshake_result {
    std::unique_ptr<byte_stream> stream;  // null when the handshake failed
    io_error error = io_error::none;      // tls_failed, timed_out, reset, end_of_stream
    session_summary session;
    std::vector<log_line> log;  // of a failure, and of certificates that are not good, in order
    handshake_result() = default;
};

task<handshake_result> accept(std::unique_ptr<byte_stream> lower, std::shared_ptr<const context> with,
                              accept_options options);
task<handshake_result> connect(std::unique_ptr<byte_stream> lower, std::shared_ptr<const context> with,
                               connect_options options);

}  // namespace mta::tls
