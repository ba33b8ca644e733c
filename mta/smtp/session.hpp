// mta/smtp/session.hpp - one SMTP session at the client's end: greeting, EHLO, STARTTLS, and one message
// (smtp_proto.c).
//
// Reports every recipient that a reply settles. A server that stalls, lies or leaves ends the session with the words
// that Postfix has for it; whatever recipients are open then stay with the caller, for the next host, or are deferred
// when there is none.
#pragma once
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "mta/delivery/request.hpp"
#include "mta/smtp/next_hop.hpp"
#include "mta/smtp/reply.hpp"
#include "mta/smtp/settings.hpp"
#include "mta/stream/smtp_stream.hpp"

namespace mta::smtp {

enum class feature : unsigned {
    esmtp = 1,
    pipelining = 2,
    size = 4,
    starttls = 8,
    eight_bit_mime = 16,
    dsn = 32,
    smtputf8 = 64,
    auth = 128,
    chunking = 256
};

class session {
  public:
    session(master::mail_system& mail, const settings& with, delivery::report& account,
            std::unique_ptr<byte_stream> stream, candidate host, std::uint16_t port, bool plaintext,
            std::vector<delivery::target>& open);

    // Whether another host may be tried for what this one does not take for now.
    void set_last_host(bool last) { last_host_ = last; }
    // After open() failed: the same host should be tried again without TLS.
    bool retry_in_plaintext() const { return retry_in_plaintext_; }

    // Greeting to TLS. False: the session is of no use; what has to be said of the open recipients has been said.
    task<bool> open();
    task<void> send_message();
    task<void> quit();

    const std::string& relay() const { return relay_; }

  private:
    bool has(feature which) const { return (features_ & static_cast<unsigned>(which)) != 0; }
    task<bool> read_reply(reply& into, duration timeout);
    task<bool> exchange(std::string line, reply& into, duration timeout);
    task<bool> hello();
    task<bool> say_ehlo(std::string verb, reply& answer);
    void read_features(const reply& answer);
    task<bool> start_tls();
    task<bool> handshake();

    std::string mail_command() const;
    std::string rcpt_command(const delivery::target& to) const;
    task<bool> send_envelope();
    task<bool> read_envelope_replies();
    task<bool> send_content();
    bool ends_after_rcpt() const;  // smtp_address_verify_target
    bool probe_ends(const reply& to_data);
    void settle_probe(const delivery::target& to, const reply& answer);
    void accept_mail(const reply& answer);
    void accept_rcpt(std::size_t index, const reply& answer);

    // The four ways in which a reply or a silence is bad for a message.
    void site_refused(const reply& answer);  // "refused to talk to me"
    void site_failed(queue::delivery_status why);
    void message_refused(const reply& answer, std::string_view command);
    void recipient_refused(const delivery::target& to, const reply& answer, std::string_view command);
    void stream_failed(io_error error);
    void settle_open(const queue::delivery_status& status, bool throttle);
    queue::delivery_status status_of(const reply& answer, std::string text) const;
    void record(const reply& answer);

    master::mail_system& mail_;
    const settings& settings_;
    delivery::report& account_;
    std::uint64_t connection_;
    smtp_stream stream_;
    candidate host_;
    std::uint16_t port_;
    bool plaintext_;  // no TLS, whatever the level
    bool last_host_ = true;
    std::vector<delivery::target>& open_;
    std::string name_;   // "mail.ohio.cc[192.168.137.9]"
    std::string relay_;  // with ":25"
    unsigned features_ = 0;
    std::int64_t size_limit_ = 0;
    bool in_tls_ = false;
    const char* doing_ = "receiving the initial server greeting";
    std::vector<std::string> sent_;  // commands whose replies have not come, for the record
    std::vector<bool> accepted_;     // of open_, by the reply to RCPT
    std::set<std::size_t> settled_;  // recipients that a reply to RCPT has settled, also while they stand in open_
    bool mail_accepted_ = false;
    bool broken_ = false;  // the connection is of no use any more
    bool ended_by_dot_ = false;
    bool retry_in_plaintext_ = false;
};

}  // namespace mta::smtp
