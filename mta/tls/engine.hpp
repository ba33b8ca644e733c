// mta/tls/engine.hpp - TLS without I/O: bytes of the wire go in and come out, and so does plaintext.
//
// Wraps one OpenSSL SSL over two strings. Every call draws its random numbers from the engine's own generator, and
// leaves OpenSSL's error queue empty: what Postfix would log of it is in `problems`. For mta/tls and its tests.
#pragma once
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "mta/tls/context.hpp"
#include "mta/tls/random_scope.hpp"
#include "mta/tls/tls_stream.hpp"

struct ssl_st;
struct bio_method_st;
struct x509_st;
struct x509_store_ctx_st;

namespace mta::tls {

class engine {
  public:
    enum class outcome : std::uint8_t {
        done,
        want_input,  // more bytes of the wire are needed
        closed,      // the peer's close_notify came
        failed,      // for good; an alert may stand in the output
    };

    engine(std::shared_ptr<const context> with, const accept_options& options);
    engine(std::shared_ptr<const context> with, const connect_options& options);
    engine(const engine&) = delete;
    engine& operator=(const engine&) = delete;
    ~engine();

    void feed(std::string_view wire);
    // What is to be sent; the caller takes it whole.
    std::string take_output();
    bool has_output() const { return !outgoing_.empty(); }

    outcome handshake();
    outcome read(std::span<char> into, std::size_t& count);
    // At most one record, 16 KiB of plaintext.
    outcome write(std::string_view from, std::size_t& count);
    // Puts close_notify into the output, once.
    void close();

    session_summary summary() const;
    // The line on a peer's certificate that is not good, as the options want it.
    void append_verdict(std::vector<log_line>& to) const;
    std::vector<log_line> take_problems() { return std::exchange(problems_, {}); }

    static void on_key_line(const ssl_st* native, const char* line);

  private:
    struct callbacks;
    struct native_owner {
        void operator()(ssl_st* native) const;
    };
    engine(std::shared_ptr<const context> with, const handshake_options& options, side which);
    void expect(const connect_options& options);
    void expect_records(const connect_options& options);
    void expect_fingerprints(const connect_options& options);
    outcome concluded(int returned);
    int verified(int good, x509_store_ctx_st* store);
    bool matches_fingerprint(const session_summary& session) const;

    std::shared_ptr<const context> context_;
    side side_;
    own_random random_;
    std::unique_ptr<ssl_st, native_owner> native_;
    key_log on_key_;
    std::string peer_;
    security_level level_ = security_level::may;
    std::vector<std::string> fingerprints_;
    bool say_why_ = false;
    bool may_match_ = false;       // there is something that the certificate could match
    bool fell_back_ = false;       // dane: no record is usable, and none needs to be
    bool nothing_usable_ = false;  // records or trust anchors, and one is needed
    bool established_ = false;
    bool broken_ = false;
    bool closed_ = false;

    std::string incoming_;
    std::size_t consumed_ = 0;
    std::string outgoing_;
    std::vector<log_line> problems_;

    // The first error of the verification at its lowest depth.
    int error_ = 0;
    int error_depth_ = -1;
    std::string error_issuer_;
};

}  // namespace mta::tls
