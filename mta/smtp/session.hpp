// mta/smtp/session.hpp - one SMTP session at the client's end: greeting, EHLO, STARTTLS, and one message
// (smtp_proto.c).
//
// Reports every recipient that a reply settles. A server that stalls, lies or leaves ends the session with the words
// that Postfix has for it; whatever recipients are open then stay with the caller, for the next host, or are deferred
// when there is none.
#pragma once
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "mta/config/ehlo_keywords.hpp"
#include "mta/delivery/request.hpp"
#include "mta/smtp/connection.hpp"
#include "mta/smtp/content_writer.hpp"
#include "mta/smtp/reply.hpp"
#include "mta/smtp/settings.hpp"
#include "mta/smtp/tls_policy.hpp"

namespace mta::smtp {

// What a session is for, beside its connection; all of it outlives the session.
struct session_purpose {
    master::mail_system& mail;
    const settings& with;
    delivery::report& account;
    const tls_policy& policy;
    const next_hop& destination;
    login_failures& failed_logins;
    std::vector<delivery::target>& open;
};

enum class transaction_step : std::uint8_t { forward_name, forward_protocol, mail, rcpt, data };

class session {
  public:
    session(const session_purpose& purpose, std::unique_ptr<connection> link);

    // Whether another host may be tried for what this one does not take for now.
    void set_last_host(bool last) { last_host_ = last; }
    // After open() failed: the same host should be tried again without TLS.
    bool retry_in_plaintext() const { return retry_in_plaintext_; }

    // Greeting to TLS. False: the session is of no use; what has to be said of the open recipients has been said.
    task<bool> open();
    task<void> send_message();
    task<void> quit();
    // Once, at the end: the notice to the postmaster, where there is something to notice.
    void report_trouble();
    // Whether a connection that has waited for this message still answers; nothing is said when it does not.
    task<bool> probe();
    // Whether the connection may carry another message.
    bool reusable() const;
    const std::string& destination() const { return destination_.as_written; }
    std::unique_ptr<connection> release() { return std::move(link_); }

  private:
    bool has(feature which) const { return (link_->features & static_cast<unsigned>(which)) != 0; }
    void set(feature which) { link_->features |= static_cast<unsigned>(which); }
    void clear(feature which) { link_->features &= ~static_cast<unsigned>(which); }
    void warn(std::string text) const;
    void inform(std::string text) const;
    void put_command(std::string_view line);
    task<io_error> receive_reply(reply& into, duration timeout);
    // As receive_reply; when that fails, what has to be said of the open recipients has been said.
    task<bool> read_reply(reply& into, duration timeout);
    task<bool> exchange(std::string line, reply& into, duration timeout);
    task<bool> hello();
    task<bool> introduce();
    task<bool> say_ehlo(std::string verb, reply& answer);
    // False: a server with our own name.
    bool read_features(const reply& answer);
    void read_feature(std::string_view keyword, std::string_view rest, config::keyword_set discarded);
    config::keyword_set discarded_keywords() const;
    void read_greeting(const reply& greeting);
    void work_around_pix();
    task<bool> start_tls();
    task<bool> handshake();
    void log_tls(const tls::session_summary& told) const;
    bool may_retry_in_plaintext() const;

    // AUTH (session_sasl.cpp).
    void offered_mechanisms(std::string_view words);
    std::optional<sasl::credentials> find_credentials(bool& failed) const;
    task<bool> log_in();
    task<bool> authenticate(const sasl::credentials& who);
    bool refused_before(const sasl::credentials& who);
    bool login_refused(const sasl::credentials& who, const reply& answer);
    unsigned required_of_mechanism() const;
    void cannot_authenticate(std::string_view why);

    // session_transaction.cpp
    struct command {
        transaction_step step;
        std::size_t recipient = 0;  // of rcpt: index in open_
        std::string line;
    };
    enum class data_answer : std::uint8_t { no, go_ahead };
    std::string generic_address(const std::string& internal);
    std::string path(const std::string& address);
    bool downgrades() const;
    std::string mail_command();
    std::string rcpt_command(const delivery::target& to);
    std::vector<command> envelope_commands();
    duration timeout_of(transaction_step step) const;
    task<void> transact();
    task<data_answer> send_envelope(const std::vector<command>& commands);
    task<data_answer> send_envelope_at_once(const std::vector<command>& commands);
    void take_reply(const command& to, const reply& answer);
    bool ends_after_rcpt() const;  // of probes: smtp_address_verify_target
    void settle_probe(std::size_t index, const reply& answer);

    // session_forward.cpp
    void read_forwarding(const std::vector<std::string_view>& words);
    std::string forward_command(std::span<const std::string_view> names) const;
    void add_forwarding(std::vector<command>& to) const;

    // session_data.cpp
    task<void> send_content();
    std::string envelope_headers() const;
    task<void> lost_in_content(io_error error);
    void message_accepted(const reply& answer);
    task<void> read_lmtp_replies(reply first);
    void delivered(std::size_t index, const reply& answer);
    void content_failed(content_writer::problem why);

    // The four ways in which a reply or a silence is bad for a message.
    void site_refused(const reply& answer);  // "refused to talk to me"
    void site_failed(const queue::delivery_status& why);
    void message_refused(const reply& answer, std::string_view command);
    void recipient_refused(std::size_t index, const reply& answer, std::string_view command);
    void stream_failed(io_error error);
    void settle_open(const queue::delivery_status& status, bool throttle);
    bool passes_on(const queue::delivery_status& status) const;
    void sweep();
    queue::delivery_status status_of(const reply& answer, std::string text);

    // session_trouble.cpp
    void remember(std::string_view direction, std::string_view line);
    void note_code(int code);
    std::string filtered_line(std::string_view line);
    void warn_of_long_reply(std::string_view line);
    void warn_of_garbage(std::string_view line);
    void record(const reply& answer);

    master::mail_system& mail_;
    const settings& settings_;
    delivery::report& account_;
    const tls_policy& policy_;
    const next_hop& destination_;
    login_failures& failed_logins_;
    std::vector<delivery::target>& open_;
    std::unique_ptr<connection> link_;
    // Of the connection, by the names that they are spoken of here.
    smtp_stream& stream_;
    const candidate& host_;
    const std::string& name_;   // "mail.ohio.cc[192.168.137.9]"
    const std::string& relay_;  // with ":25"
    bool last_host_ = true;
    const char* doing_ = "receiving the initial server greeting";
    std::vector<std::string> sent_;  // commands whose replies have not come, for the record

    // Of each of open_, while something is being said of it; kept: another host will be asked.
    enum class fate : std::uint8_t { open, kept, settled };
    std::vector<fate> fates_;
    std::size_t accepted_ = 0;  // recipients
    bool mail_accepted_ = false;
    bool in_transaction_ = false;
    bool parts_silently_ = false;  // no QUIT
    bool reply_filter_failed_ = false;
    bool past_mail_ = false;  // what goes wrong now is nobody's loss

    unsigned trouble_ = 0;  // of trouble
    std::vector<std::string> transcript_;

    bool broken_ = false;  // the connection is of no use any more
    bool retry_in_plaintext_ = false;
    bool pix_without_esmtp_ = false;
};

}  // namespace mta::smtp
