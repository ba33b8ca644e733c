// mta/smtpd/session.hpp - one SMTP session at the server's end, from greeting to disconnect (RFC 5321, smtpd.c).
//
// Reads command lines, asks `access` for decisions, hands accepted mail to cleanup, and reports every step as an event. A peer
// that stalls, floods or lies ends the session with the reply that Postfix gives; nothing it sends can end more than its
// own session.
#pragma once
#include <array>
#include <memory>
#include <string>
#include <vector>

#include "mta/address/smtp_command.hpp"
#include "mta/cleanup/cleanup.hpp"
#include "mta/queue/queue_file.hpp"
#include "mta/smtpd/access.hpp"
#include "mta/smtpd/peer.hpp"
#include "mta/smtpd/server.hpp"
#include "mta/stream/smtp_stream.hpp"

namespace mta::smtpd {

class session {
  public:
    session(server& owner, const maillog::process& process, std::unique_ptr<byte_stream> stream, endpoint local,
            endpoint remote);
    task<void> run();
    bool process_died() const { return process_died_; }

  private:
    // What a command leads to: its reply is in the output; whether it counts as a success, and whether the session goes on.
    enum class verdict : std::uint8_t { good, bad, quit, lost };
    struct counter {
        std::uint32_t succeeded = 0, total = 0;
    };

    task<bool> greet();
    task<verdict> execute(const address::command_line& line);
    task<verdict> helo(const address::command_line& line, bool extended);
    task<verdict> start_tls();
    task<bool> tls_handshake();
    task<verdict> mail(const address::command_line& line);
    task<verdict> rcpt(const address::command_line& line);
    task<verdict> data();
    task<verdict> bdat(const address::command_line& line);
    task<verdict> vrfy(const address::command_line& line);
    task<verdict> etrn(const address::command_line& line);
    task<io_error> receive_content(std::string& content, bool& too_big);
    void apply_access_actions(cleanup::incoming& message);
    task<verdict> finish_message(std::string content, bool too_big);

    void reply(std::string_view text);
    verdict refuse(std::string_view text);                      // an error reply; counts against the client
    verdict refuse(const address::refusal& refused);
    verdict refuse(const decision& decided);
    void reset_transaction();
    bool in_transaction() const { return transaction_.sender.has_value(); }
    void begin_message();
    std::string received_header() const;
    std::string protocol() const;
    std::string ehlo_reply() const;
    bool advertises(std::string_view keyword) const { return !options_.discarded_keywords.contains(keyword); }
    address::command_rules grammar() const;
    access_facts facts();
    void log(const maillog::event& what, std::string_view queue_id = {});
    void log_end(verdict last, io_error error);
    void count(address::verb verb, bool succeeded);
    task<void> penalise();

    struct transaction {
        std::optional<std::string> sender;
        std::string sender_as_sent;
        std::vector<queue::recipient> recipients;
        std::string queue_id;
        time_point arrival{};
        address::mail_command mail;
        std::string pending_content;                            // of BDAT chunks
        bool chunking = false, too_big = false;
    };

    server& server_;
    master::mail_system& mail_;
    const settings& options_;
    const maillog::process& process_;
    endpoint local_, remote_;
    std::uint64_t connection_;
    smtp_stream stream_;
    peer client_;
    std::string helo_;
    bool extended_ = false, in_tls_ = false;
    tls::session_summary tls_;
    transaction transaction_;
    access_memory access_memory_;
    bool refused_at_connect_ = false;
    bool process_died_ = false;                                 // a restriction was too wrong to survive
    std::string current_recipient_, current_recipient_as_sent_;
    std::string last_verb_ = "CONNECT";
    io_error error_ = io_error::none;                           // why the connection is lost
    int errors_ = 0;
    std::array<counter, 16> counters_{};
    std::string last_reply_;
};

}  // namespace mta::smtpd
