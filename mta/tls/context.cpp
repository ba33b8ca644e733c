#include "mta/tls/context.hpp"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

#include <array>

#include "mta/text/strings.hpp"
#include "mta/tls/engine.hpp"
#include "mta/tls/native.hpp"

namespace mta::tls {
namespace {

using problem_list = std::vector<log_line>;

void warn(problem_list& problems, std::string text) {
    problems.push_back({true, std::move(text)});
}

// A key that asks for a pass phrase has none here; OpenSSL would ask the terminal.
int no_pass_phrase(char*, int, int, void*) {
    return -1;
}

owned<BIO> reader(std::string_view pem) {
    return owned<BIO>(BIO_new_mem_buf(pem.data(), static_cast<int>(std::min<std::size_t>(pem.size(), 1 << 24))));
}

struct grade {
    std::string_view name;
    std::string_view ciphers;  // tls_NAME_cipherlist
};
constexpr std::array<grade, 5> grades = {{
    {"high", "aNULL:-aNULL:HIGH:@STRENGTH"},
    {"medium", "aNULL:-aNULL:HIGH:MEDIUM:+RC4:@STRENGTH"},
    {"low", "aNULL:-aNULL:HIGH:MEDIUM:LOW:+RC4:@STRENGTH"},
    {"export", "aNULL:-aNULL:HIGH:MEDIUM:LOW:EXPORT:+RC4:@STRENGTH"},
    {"null", "eNULL:!aNULL"},
}};

// "" for an unknown grade.
std::string cipher_list_of(const context_settings& settings) {
    for (const auto& each : grades) {
        if (!text::equal_ignoring_case(each.name, settings.cipher_grade)) continue;
        std::string list(each.ciphers);
        for (const auto excluded : text::split(settings.exclude_ciphers, ", \t\r\n:"))
            list.append(":!").append(excluded);
        // A server that wants to see certificates offers no cipher without them.
        if (settings.client_certificates == peer_certificate::asked) list += ":!aNULL";
        return list;
    }
    return {};
}

bool at_end_of_text() {
    return ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
}

bool load_certificates(SSL_CTX* native, const key_and_chain& identity) {
    const auto source = reader(identity.certificates_pem);
    const owned<X509> leaf(PEM_read_bio_X509_AUX(source.get(), nullptr, no_pass_phrase, nullptr));
    if (!leaf || SSL_CTX_use_certificate(native, leaf.get()) != 1) return false;
    SSL_CTX_clear_chain_certs(native);
    while (true) {
        const owned<X509> next(PEM_read_bio_X509(source.get(), nullptr, no_pass_phrase, nullptr));
        if (!next) return at_end_of_text();
        if (SSL_CTX_add1_chain_cert(native, next.get()) != 1) return false;
    }
}

enum class identity_problem { none, nothing, key_missing, key, certificates, mismatch };

identity_problem load(SSL_CTX* native, const key_and_chain& identity) {
    if (identity.key_pem.empty() && identity.certificates_pem.empty()) return identity_problem::nothing;
    if (identity.key_pem.empty()) return identity_problem::key_missing;
    if (!load_certificates(native, identity)) return identity_problem::certificates;
    ERR_clear_error();
    const auto source = reader(identity.key_pem);
    const owned<EVP_PKEY> key(PEM_read_bio_PrivateKey(source.get(), nullptr, no_pass_phrase, nullptr));
    if (!key) return identity_problem::key;
    const X509* leaf = SSL_CTX_get0_certificate(native);
    if (EVP_PKEY_get_id(X509_get0_pubkey(leaf)) != EVP_PKEY_get_id(key.get())) return identity_problem::mismatch;
    return SSL_CTX_use_PrivateKey(native, key.get()) == 1 ? identity_problem::none : identity_problem::mismatch;
}

// What Postfix says of a chain file that does not load; OpenSSL's own words follow.
void say_chain_problem(const key_and_chain& identity, identity_problem what, problem_list& problems) {
    const auto& file = identity.key_name;
    const auto position = std::to_string(identity.position);
    switch (what) {
        case identity_problem::none:
            return;
        case identity_problem::nothing:
            warn(problems, "No PEM data in " + file);
            break;
        case identity_problem::key_missing:
            warn(problems, "error loading chain from " + file + ": key not first");
            break;
        case identity_problem::key:
            warn(problems, "error loading private key (PEM object number " + position + ") from " + file);
            break;
        case identity_problem::certificates:
            warn(problems, "error loading certificate (PEM object number " + std::to_string(identity.position + 1) +
                               ") from " + file);
            break;
        case identity_problem::mismatch:
            warn(problems, "key at index " + position + " in " + file + " does not match next certificate");
            break;
    }
    append_library_errors(problems);
    warn(problems, "error loading private keys and certificates from: " + file + ": disabling TLS support");
}

void say_pair_problem(const key_and_chain& identity, identity_problem what, problem_list& problems) {
    constexpr std::string_view consequence = ": disabling TLS support";
    const bool other_kind = what == identity_problem::mismatch && ERR_peek_error() == 0;
    if (other_kind) {
        warn(problems, identity.kind + " private key in " + identity.key_name + " does not match public key in " +
                           identity.certificates_name + std::string(consequence));
    } else if (what == identity_problem::certificates || what == identity_problem::nothing) {
        warn(problems, "cannot get " + identity.kind + " certificate from file \"" + identity.certificates_name + "\"" +
                           std::string(consequence));
    } else {
        warn(problems, "cannot get " + identity.kind + " private key from file \"" + identity.key_name + "\"" +
                           std::string(consequence));
    }
    append_library_errors(problems);
}

bool load_identity(SSL_CTX* native, const key_and_chain& identity, problem_list& problems) {
    ERR_clear_error();
    const auto what = load(native, identity);
    if (what == identity_problem::none) return true;
    (identity.position != 0 ? say_chain_problem : say_pair_problem)(identity, what, problems);
    return false;
}

bool load_authorities(SSL_CTX* native, const context_settings& settings, problem_list& problems) {
    if (settings.authorities_name.empty() && settings.authorities_pem.empty()) return true;
    X509_STORE* store = SSL_CTX_get_cert_store(native);
    const auto source = reader(settings.authorities_pem);
    ERR_clear_error();
    std::size_t count = 0;
    const bool names_authorities = settings.side == side::server;
    for (;; ++count) {
        const owned<X509> next(PEM_read_bio_X509_AUX(source.get(), nullptr, no_pass_phrase, nullptr));
        if (!next || X509_STORE_add_cert(store, next.get()) != 1) break;
        if (names_authorities) SSL_CTX_add_client_CA(native, next.get());
    }
    const bool whole = at_end_of_text();
    if (whole) ERR_clear_error();
    if (whole && count != 0) return true;
    problems.push_back({false, "cannot load Certification Authority data, CAfile=\"" + settings.authorities_name +
                                   "\": disabling TLS support"});
    // OpenSSL says this when it reads the file itself.
    const std::string library = "TLS library problem: error:";
    if (settings.authorities_pem.empty()) {
        warn(problems, library + "80000002:system library::No such file or directory:../crypto/bio/bss_file.c:67:" +
                           "calling fopen(" + settings.authorities_name + ", r):");
        warn(problems, library + "10000080:BIO routines::no such file:../crypto/bio/bss_file.c:75:");
        warn(problems, library + "05880002:x509 certificate routines::system lib:../crypto/x509/by_file.c:229:");
    } else if (whole) {
        warn(problems,
             library + "05800088:x509 certificate routines::no certificate or crl found:../crypto/x509/by_file.c:252:");
    }
    append_library_errors(problems);
    return false;
}

bool set_curves(SSL_CTX* native, const context_settings& settings, problem_list& problems) {
    std::string usable;
    for (const auto name : text::split(settings.eecdh_curves, ", \t\r\n:")) {
        const std::string curve(name);
        const int id = EC_curve_nist2nid(curve.c_str()) != NID_undef ? EC_curve_nist2nid(curve.c_str())
                                                                     : OBJ_sn2nid(curve.c_str());
        const int by_id[] = {id};
        if (id == NID_undef || SSL_CTX_set1_groups(native, by_id, 1) != 1) {
            // Postfix's server makes two contexts, the second for names from SNI tables, and says so of both.
            for (int i = settings.side == side::server ? 2 : 1; i > 0; --i)
                warn(problems, "ignoring unknown ECDHE curve \"" + curve + "\"");
            continue;
        }
        if (!usable.empty()) usable += ':';
        usable += curve;
    }
    ERR_clear_error();
    if (usable.empty()) usable = "X25519:X448:P-256:P-521:P-384";
    return SSL_CTX_set1_groups_list(native, usable.c_str()) == 1;
}

// The group of RFC 7919 with 2048 bits, as Postfix has it built in.
void set_dh_group(SSL_CTX* native) {
    const owned<EVP_PKEY_CTX> maker(EVP_PKEY_CTX_new_from_name(nullptr, "DH", nullptr));
    EVP_PKEY* group = nullptr;
    if (maker && EVP_PKEY_paramgen_init(maker.get()) == 1 &&
        EVP_PKEY_CTX_set_group_name(maker.get(), "ffdhe2048") == 1 && EVP_PKEY_paramgen(maker.get(), &group) == 1 &&
        SSL_CTX_set0_tmp_dh_pkey(native, group) != 1)
        EVP_PKEY_free(group);
}

// What does not depend on main.cf.
void set_fixed(SSL_CTX* native, const context_settings& settings) {
    SSL_CTX_set_security_level(native, 0);  // the cipher lists decide, as in Postfix
    std::uint64_t options =
        SSL_OP_ALL | SSL_OP_NO_TICKET | SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_IGNORE_UNEXPECTED_EOF;
    if (settings.prefer_server_ciphers) options |= SSL_OP_CIPHER_SERVER_PREFERENCE;
    SSL_CTX_set_options(native, options);
    // No session outlives its connection: tickets carry the wall clock's time, and a cache would be state between
    // sessions. Real Postfix caches on request only, and at a client logs nothing of it.
    SSL_CTX_set_num_tickets(native, 0);
    SSL_CTX_set_session_cache_mode(native, SSL_SESS_CACHE_OFF);
    static constexpr unsigned char name[] = "relaylab";
    SSL_CTX_set_session_id_context(native, name, sizeof name - 1);
    SSL_CTX_set_mode(native, SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_verify_depth(native, settings.verify_depth + 1);
    SSL_CTX_dane_enable(native);
    SSL_CTX_set_keylog_callback(native, engine::on_key_line);
    set_dh_group(native);
}

void add_pair(std::string_view name, int position, std::vector<key_and_chain>& pairs) {
    auto& pair = pairs.emplace_back();
    pair.key_name = pair.certificates_name = name;
    pair.position = position;
}

void add_pem_blocks(std::string_view name, std::string_view pem, std::vector<key_and_chain>& pairs) {
    constexpr std::string_view begin = "-----BEGIN ", end = "-----END ", dashes = "-----";
    int position = 0;
    for (std::size_t at = pem.find(begin); at != pem.npos; at = pem.find(begin, at)) {
        const auto label_end = pem.find(dashes, at + begin.size());
        const auto last = pem.find(end, at);
        const auto stop = last == pem.npos ? last : pem.find(dashes, last + end.size());
        if (label_end == pem.npos || stop == pem.npos) break;
        const auto label = pem.substr(at + begin.size(), label_end - at - begin.size());
        const auto block = std::string(pem.substr(at, stop + dashes.size() - at)) + '\n';
        at = stop + dashes.size();
        const bool key = label.ends_with("PRIVATE KEY"), certificate = label.ends_with("CERTIFICATE");
        if (!key && !certificate) continue;  // "EC PARAMETERS" stand before their key
        ++position;
        if (key || pairs.empty()) add_pair(name, position, pairs);
        (key ? pairs.back().key_pem : pairs.back().certificates_pem) += block;
    }
}

std::string digest_of(const context_settings& settings) {
    std::string all;
    const auto add = [&all](std::string_view part) {
        all.append(std::to_string(part.size())).append(":").append(part);
    };
    for (const auto& identity : settings.identities) {
        add(identity.key_name), add(identity.key_pem), add(identity.certificates_name), add(identity.certificates_pem);
        add(identity.kind), add(std::to_string(identity.position));
    }
    add(settings.authorities_name), add(settings.authorities_pem), add(settings.protocols), add(settings.cipher_grade);
    add(settings.exclude_ciphers), add(settings.eecdh_curves), add(settings.fingerprint_digest);
    add(std::to_string(settings.verify_depth));
    add(settings.side == side::server ? "server" : "client");
    add(settings.client_certificates == peer_certificate::asked ? "asked" : "not asked");
    add(settings.prefer_server_ciphers ? "own order" : "their order");
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    if (EVP_Digest(all.data(), all.size(), digest, &size, EVP_sha256(), nullptr) != 1) return all;
    return std::string(reinterpret_cast<const char*>(digest), size);
}

}  // namespace

std::vector<key_and_chain> split_chain_file(std::string_view name, std::string_view pem) {
    std::vector<key_and_chain> pairs;
    add_pem_blocks(name, pem, pairs);
    if (pairs.empty()) add_pair(name, 1, pairs);
    return pairs;
}

context::context(context_settings settings, ssl_ctx_st* native) : settings_(std::move(settings)), native_(native) {}

context::~context() {
    SSL_CTX_free(native_);
}

std::shared_ptr<const context> context::make(const context_settings& settings, std::vector<log_line>& problems) {
    const bool server = settings.side == side::server;
    protocol_range protocols;
    const bool protocols_good = parse_protocols(settings.protocols, protocols);
    if (server && !protocols_good) {
        warn(problems, "Invalid TLS protocol list \"" + settings.protocols + "\": disabling TLS support");
        return nullptr;
    }
    if (!EVP_get_digestbyname(settings.fingerprint_digest.c_str())) {
        warn(problems, "Digest algorithm \"" + settings.fingerprint_digest + "\" not found");
        warn(problems, "disabling TLS support");
        return nullptr;
    }
    ERR_clear_error();
    owned<SSL_CTX> native(SSL_CTX_new(server ? TLS_server_method() : TLS_client_method()));
    if (!native) {
        append_library_errors(problems);
        return nullptr;
    }
    set_fixed(native.get(), settings);
    SSL_CTX_set_options(native.get(), protocols.excluded);
    SSL_CTX_set_min_proto_version(native.get(), protocols.lowest);
    SSL_CTX_set_max_proto_version(native.get(), protocols.highest);
    if (!load_authorities(native.get(), settings, problems)) return nullptr;
    for (const auto& identity : settings.identities)
        if (!load_identity(native.get(), identity, problems)) return nullptr;
    if (!set_curves(native.get(), settings, problems)) append_library_errors(problems);

    std::shared_ptr<context> made(new context(settings, native.release()));
    if (!protocols_good)
        warn(made->session_problems_,
             "%s: Invalid TLS protocol list \"" + settings.protocols + "\": aborting TLS session");
    made->cipher_list_ = cipher_list_of(settings);
    ERR_clear_error();
    if (made->cipher_list_.empty()) {
        warn(made->session_problems_, "%s: invalid cipher grade: \"" + settings.cipher_grade + "\"");
    } else if (SSL_CTX_set_cipher_list(made->native_, made->cipher_list_.c_str()) != 1) {
        warn(made->session_problems_, "%s: error setting cipher grade: \"" + settings.cipher_grade + "\"");
        append_library_errors(made->session_problems_);
    }
    ERR_clear_error();
    return made;
}

std::shared_ptr<const context> context_cache::find_or_make(const context_settings& settings,
                                                           std::vector<log_line>& problems) {
    const auto [position, fresh] = by_content_.try_emplace(digest_of(settings));
    auto& [made, said] = position->second;
    if (fresh) made = context::make(settings, said);
    problems.insert(problems.end(), said.begin(), said.end());
    return made;
}

}  // namespace mta::tls
