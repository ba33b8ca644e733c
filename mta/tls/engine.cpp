#include "mta/tls/engine.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "mta/text/strings.hpp"
#include "mta/tls/native.hpp"
#include "mta/tls/summary.hpp"

namespace mta::tls {

// What OpenSSL calls back; each finds its engine in the object it is given.
struct engine::callbacks {
    static engine& of(const SSL* native) { return *static_cast<engine*>(SSL_get_app_data(native)); }
    static engine& of(BIO* bio) { return *static_cast<engine*>(BIO_get_data(bio)); }

    static int verify(int good, X509_STORE_CTX* store) {
        const auto* native =
            static_cast<const SSL*>(X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()));
        return of(native).verified(good, store);
    }
    static int read(BIO* bio, char* into, int size) {
        BIO_clear_retry_flags(bio);
        engine& self = of(bio);
        const std::size_t count = std::min(self.incoming_.size() - self.consumed_, static_cast<std::size_t>(size));
        if (count == 0) {
            BIO_set_retry_read(bio);
            return -1;
        }
        std::memcpy(into, self.incoming_.data() + self.consumed_, count);
        self.consumed_ += count;
        // An idle session keeps no buffer.
        if (self.consumed_ == self.incoming_.size()) self.consumed_ = 0, self.incoming_ = std::string();
        return static_cast<int>(count);
    }
    static int write(BIO* bio, const char* from, int size) {
        BIO_clear_retry_flags(bio);
        of(bio).outgoing_.append(from, static_cast<std::size_t>(size));
        return size;
    }
    static long control(BIO*, int command, long, void*) { return command == BIO_CTRL_FLUSH; }

    // OpenSSL's table of functions for our kind of BIO: made once, never changed, freed with the process.
    static const BIO_METHOD* method() {
        static const BIO_METHOD* const made = [] {
            BIO_METHOD* fresh = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "relaylab wire");
            BIO_meth_set_read(fresh, read);
            BIO_meth_set_write(fresh, write);
            BIO_meth_set_ctrl(fresh, control);
            return fresh;
        }();
        return made;
    }
};

void engine::native_owner::operator()(ssl_st* native) const {
    SSL_free(native);
}

engine::engine(std::shared_ptr<const context> with, const handshake_options& options, side which)
    : context_(std::move(with)), side_(which), random_(*options.random), on_key_(options.on_key), peer_(options.peer) {
    const random_scope scope(random_);
    native_.reset(SSL_new(context_->native()));
    BIO* wire = native_ ? BIO_new(callbacks::method()) : nullptr;
    if (!wire) throw std::bad_alloc();
    BIO_set_data(wire, this);
    BIO_set_init(wire, 1);
    SSL_set_bio(native_.get(), wire, wire);
    SSL_set_app_data(native_.get(), this);
    const auto seconds = std::chrono::floor<std::chrono::seconds>(options.now).time_since_epoch().count();
    X509_VERIFY_PARAM_set_time(SSL_get0_param(native_.get()), static_cast<std::time_t>(seconds));
}

engine::engine(std::shared_ptr<const context> with, const accept_options& options)
    : engine(std::move(with), static_cast<const handshake_options&>(options), side::server) {
    say_why_ = options.log_untrusted;
    const bool asks = context_->settings().client_certificates == peer_certificate::asked;
    SSL_set_verify(native_.get(), asks ? SSL_VERIFY_PEER | SSL_VERIFY_CLIENT_ONCE : SSL_VERIFY_NONE, callbacks::verify);
    SSL_set_accept_state(native_.get());
}

engine::engine(std::shared_ptr<const context> with, const connect_options& options)
    : engine(std::move(with), static_cast<const handshake_options&>(options), side::client) {
    level_ = options.level;
    say_why_ = must_match(level_);
    SSL_set_verify(native_.get(), SSL_VERIFY_NONE, callbacks::verify);
    SSL_set_connect_state(native_.get());
    expect(options);
    ERR_clear_error();
}

engine::~engine() {
    const random_scope scope(random_);
    native_.reset();
    ERR_clear_error();
}

void engine::expect(const connect_options& options) {
    SSL* native = native_.get();
    if (!options.server_name.empty()) SSL_set_tlsext_host_name(native, options.server_name.c_str());
    if (!must_match(level_)) return;
    // Who must see a certificate offers no cipher without one.
    SSL_set_cipher_list(native, (context_->cipher_list() + ":!aNULL").c_str());
    if (level_ == security_level::fingerprint) {
        expect_fingerprints(options);
        return;
    }
    const bool has_records = level_ == security_level::dane || !options.tlsa.empty();
    if (has_records) expect_records(options);
    SSL_set_hostflags(native, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_MULTI_LABEL_WILDCARDS);
    bool any_name = false;
    for (const auto& name : options.match_names) any_name |= !name.empty() && SSL_add1_host(native, name.c_str()) == 1;
    if (level_ != security_level::dane) may_match_ = any_name && (!has_records || may_match_);
    nothing_usable_ = has_records && !may_match_ && !fell_back_;
}

// A fingerprint is a record of a certificate and one of a public key, whose digest has the length of ours.
void engine::expect_fingerprints(const connect_options& options) {
    const EVP_MD* const digest = EVP_get_digestbyname(context_->settings().fingerprint_digest.c_str());
    const auto expected = digest ? static_cast<std::size_t>(EVP_MD_get_size(digest)) : 0;
    for (auto each = options.fingerprints.rbegin(); each != options.fingerprints.rend(); ++each) {
        const std::string digits = text::uppered(text::replaced(*each, ":", ""));
        if (digits.size() % 2 != 0 || digits.find_first_not_of("0123456789ABCDEF") != digits.npos) {
            problems_.push_back({true, "malformed fingerprint value: " + each->substr(0, 384)});
        } else if (digits.size() != 2 * expected) {
            for (const char* kind : {"3 1 255 ", "3 0 255 "})
                problems_.push_back({true, peer_ + ": unusable TLSA RR: " + kind + digits});
        } else {
            fingerprints_.push_back(digits);
        }
    }
    if (fingerprints_.empty()) problems_.push_back({true, peer_ + ": all fingerprints unusable"});
}

void engine::expect_records(const connect_options& options) {
    SSL_dane_enable(native_.get(), nullptr);
    if (level_ == security_level::dane) SSL_dane_set_flags(native_.get(), DANE_FLAG_NO_DANE_EE_NAMECHECKS);
    bool any = false;
    for (const auto& record : options.tlsa) {
        const auto* data = reinterpret_cast<const unsigned char*>(record.data.data());
        const int added = SSL_dane_tlsa_add(native_.get(), record.usage, record.selector, record.matching_type, data,
                                            record.data.size());
        any |= added > 0;
        if (added > 0) continue;
        problems_.push_back({true, fmt::format("{}: unusable TLSA RR: {} {} {} {}", peer_, record.usage,
                                               record.selector, record.matching_type, hexadecimal(record.data))});
    }
    may_match_ = any;
    if (any) return;
    if (level_ != security_level::dane) {
        problems_.push_back({true, peer_ + ": all trust anchors unusable"});
        return;
    }
    fell_back_ = !options.needs_usable_records;
    const char* what = fell_back_ ? "unusable, fallback to unauthenticated TLS" : "unusable";
    problems_.push_back({true, fmt::format("{}: all TLSA records {}", peer_, what)});
}

int engine::verified(int good, X509_STORE_CTX* store) {
    const int depth = X509_STORE_CTX_get_error_depth(store);
    int error = X509_STORE_CTX_get_error(store);
    // OpenSSL calls a chain that is too long an unknown issuer.
    if (depth > context_->settings().verify_depth) {
        error = X509_V_ERR_CERT_CHAIN_TOO_LONG;
        X509_STORE_CTX_set_error(store, error);
        good = 0;
    }
    const bool nearer = error_depth_ < 0 || depth < error_depth_;
    if (!good && nearer) {
        error_ = error;
        error_depth_ = depth;
        error_issuer_.clear();
        if (X509* current = X509_STORE_CTX_get_current_cert(store)) error_issuer_ = issuer_line(current);
    }
    return 1;  // the session judges, not the handshake
}

void engine::feed(std::string_view wire) {
    incoming_.append(wire);
}

std::string engine::take_output() {
    return std::exchange(outgoing_, {});
}

engine::outcome engine::concluded(int returned) {
    switch (SSL_get_error(native_.get(), returned)) {
        case SSL_ERROR_WANT_READ:
        case SSL_ERROR_WANT_WRITE:
            return outcome::want_input;
        case SSL_ERROR_ZERO_RETURN:
            return outcome::closed;
        default:
            broken_ = true;
            append_library_errors(problems_);
            return outcome::failed;
    }
}

engine::outcome engine::handshake() {
    const random_scope scope(random_);
    ERR_clear_error();
    const int returned = SSL_do_handshake(native_.get());
    if (returned != 1) return concluded(returned) == outcome::want_input ? outcome::want_input : outcome::failed;
    established_ = true;
    return outcome::done;
}

engine::outcome engine::read(std::span<char> into, std::size_t& count) {
    count = 0;
    if (broken_) return outcome::failed;
    if (incoming_.empty() && SSL_pending(native_.get()) == 0 && SSL_get_shutdown(native_.get()) == 0)
        return outcome::want_input;  // spares OpenSSL its buffer
    const random_scope scope(random_);
    ERR_clear_error();
    const int returned = SSL_read_ex(native_.get(), into.data(), into.size(), &count);
    return returned == 1 ? outcome::done : concluded(returned);
}

engine::outcome engine::write(std::string_view from, std::size_t& count) {
    count = 0;
    if (broken_ || closed_) return outcome::failed;
    const random_scope scope(random_);
    ERR_clear_error();
    from = from.substr(0, SSL3_RT_MAX_PLAIN_LENGTH);
    const int returned = SSL_write_ex(native_.get(), from.data(), from.size(), &count);
    return returned == 1 ? outcome::done : concluded(returned);
}

void engine::close() {
    if (closed_ || broken_ || !established_) return;
    closed_ = true;
    const random_scope scope(random_);
    SSL_shutdown(native_.get());
    ERR_clear_error();
}

bool engine::matches_fingerprint(const session_summary& session) const {
    return std::any_of(fingerprints_.begin(), fingerprints_.end(), [&session](const std::string& wanted) {
        return wanted == text::replaced(session.certificate_fingerprint, ":", "") ||
               wanted == text::replaced(session.public_key_fingerprint, ":", "");
    });
}

session_summary engine::summary() const {
    session_summary result = summarize(*native_, side_, context_->settings().fingerprint_digest);
    if (!result.certificate_present) return result;
    bool trusted = SSL_get_verify_result(native_.get()) == X509_V_OK;
    if (level_ == security_level::fingerprint)
        result.matched = trusted = matches_fingerprint(result);
    else if (must_match(level_))
        result.matched = trusted = trusted && may_match_;
    result.fell_back = fell_back_;
    result.trust = result.matched ? trust::verified : trusted ? trust::trusted : trust::untrusted;
    return result;
}

void engine::append_verdict(std::vector<log_line>& to) const {
    if (!say_why_) return;
    const auto session = summary();
    if (!session.certificate_present || session.trust == trust::trusted || session.trust == trust::verified) return;
    int error = error_;
    if (level_ == security_level::fingerprint)
        error = fingerprints_.empty() ? X509_V_ERR_UNSPECIFIED : X509_V_ERR_DANE_NO_MATCH;
    if (nothing_usable_) error = X509_V_ERR_UNSPECIFIED;
    // A good chain, but nothing was said that it could match.
    if (error == X509_V_OK) error = X509_V_ERR_CERT_UNTRUSTED;
    to.push_back({false, verification_failure(side_, peer_, error, error_depth_, error_issuer_)});
}

void engine::on_key_line(const SSL* native, const char* line) {
    const engine& self = callbacks::of(native);
    if (self.on_key_) self.on_key_(line);
}

}  // namespace mta::tls
