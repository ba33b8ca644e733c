// mta/smtpd/session.hpp - one SMTP session at the server's end, from greeting to disconnect (RFC 5321, smtpd(8)).
//
// Reads command lines, asks `access` for decisions, hands accepted mail to cleanup, and reports every step as an event.
// A peer that stalls, floods or lies ends the session with the reply that Postfix gives; nothing it sends can end more
// than its own session. By file: session.cpp has the loop and its limits, session_greeting.cpp HELO and what is
// offered, session_transaction.cpp MAIL and RCPT and the small commands, session_data.cpp DATA and BDAT,
// session_message.cpp what becomes of a message, session_tls.cpp STARTTLS, session_auth.cpp AUTH, session_forward.cpp
// XCLIENT and XFORWARD, session_end.cpp the last lines and the postmaster's notice.
#pragma once
#include <array>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "mta/address/smtp_command.hpp"
#include "mta/anvil/anvil.hpp"
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
    // How the process ended, as master(8) says it; null when it lives.
    const char* death() const { return died_ ? death_ : nullptr; }

  private:
    // What a command leads to: its reply is in the output; whether it counts as a success, and whether the session goes
    // on.
    enum class verdict : std::uint8_t { good, bad, quit, lost };
    struct counter {
        std::uint32_t succeeded = 0, total = 0;
    };
    // Of BDAT chunks: whether those of the message that is coming in are taken.
    enum class chunks : std::uint8_t { none, taken, discarded };

    task<void> converse();
    task<bool> greet();
    bool excepted_from_limits();
    bool admitted();  // smtpd_client_connection_*_limit
    task<io_error> send();
    task<bool> next_command();  // into text_; false: the session ends
    verdict local_data_error();
    task<verdict> one_command();
    task<verdict> execute(const address::command_line& line);
    bool pipelines_improperly(const address::command_line& line);
    task<verdict> helo(const address::command_line& line, bool extended);
    task<verdict> start_tls(const address::command_line& line);
    task<bool> tls_handshake();
    void note_tls();
    bool activate_sasl();  // false: the process dies
    bool client_certificate_missing();
    task<verdict> auth(const address::command_line& line);
    task<verdict> authenticate(const address::auth_command& command);
    task<verdict> mail(const address::command_line& line);
    task<verdict> rcpt(const address::command_line& line);
    task<verdict> data(const address::command_line& line);
    task<verdict> bdat(const address::command_line& line);
    task<verdict> rset(const address::command_line& line);
    task<verdict> vrfy(const address::command_line& line);
    task<verdict> etrn(const address::command_line& line);
    task<verdict> xclient(const address::command_line& line);
    task<verdict> xforward(const address::command_line& line);
    task<io_error> receive_content();
    task<verdict> discard_chunk(const address::bdat_command& chunk, std::string text);
    task<io_error> receive_chunk(const address::bdat_command& chunk);
    void take_chunk_lines(std::string_view piece);
    void append_line(std::string_view line, bool whole);
    task<verdict> finish_message();
    verdict hand_over();
    void begin_content();
    cleanup::incoming for_queue();
    void add_copies(cleanup::incoming& message) const;
    void abandon_message();
    void lose_message();
    verdict crash();
    bool rejects_newlines() const;
    verdict reject_newlines();
    queue::queue_file envelope() const;

    void reply(std::string_view text);                                     // lines between CRLF
    verdict refuse(std::string_view text, notice why = notice::protocol);  // an error reply; counts against the client
    verdict refuse(const address::refusal& refused);
    verdict refuse(const decision& decided);
    static notice notice_of(refusal_cause cause);
    void note(notice why) { seen_notices_ |= static_cast<unsigned>(why); }
    void reset_transaction();
    void forget_forwarded() { forwarded_.clear(); }
    std::string_view logged_id() const;
    bool in_transaction() const { return transaction_.sender.has_value(); }
    void begin_message();
    // The last reply and what it answered, for those who want to know of each.
    void record(std::string_view line);
    void log_rejection(std::string_view stage, std::string_view text);
    std::string received_header() const;
    std::string protocol() const;
    std::string greeting_by_name();
    std::vector<std::string_view> offered_mechanisms() const;
    bool advertises(keyword which) const { return !(discarded_ & bit(which)); }
    bool sasl_active() const { return options_.sasl_enabled && (!options_.tls_auth_only || in_tls_); }
    const settings::sasl_offer& sasl_offer() const { return in_tls_ ? options_.tls_offer : options_.clear_offer; }
    address::command_rules grammar();
    bool verp_allowed() const;  // smtpd_authorized_verp_clients
    table::outcome listed(const table::name_address_list& clients);
    bool is_one_of(const table::string_list& words, std::string_view word);
    std::string_view doubtful_feature();
    bool too_many_recipients();
    bool lacks_storage();
    access_facts facts();
    bool limited() const;  // whether anvil counts this client
    void log(const maillog::event& what, std::string_view queue_id = {});
    void warn(std::string text);
    void inform(std::string_view text) { log(maillog::remark{maillog::level::info, text}); }
    void log_end();
    void count(address::verb verb, bool succeeded);
    void remember(std::string_view direction, std::string_view line);
    void send_notice();
    void flush_history(std::size_t limit);

    struct transaction {
        std::optional<std::string> sender;
        std::string sender_as_sent;
        std::vector<queue::recipient> recipients;
        std::string queue_id, first_recipient;
        std::string lost_id;  // of the message refused at its end, by which the log still goes
        time_point arrival{};
        address::mail_command mail;
        std::string content, rest;        // rest: of a chunk's last line
        cleanup::table_actions early;     // that cleanup knows before the content
        std::int64_t size = 0;            // of the content as sent
        std::size_t lost_recipients = 0;  // of a message refused at its end
        int overshoot = 0;
        bool too_big = false, bare_newline = false, line_is_cut = false, at_first_line = true,
             local_client = false;  // local_header_rewrite_clients has it
    };

    server& server_;
    master::mail_system& mail_;
    const settings& options_;
    const maillog::process& process_;
    endpoint local_, remote_;
    std::uint64_t connection_;
    smtp_stream stream_;
    std::string connected_from_;  // the client's own address
    peer client_;
    std::string helo_, denied_;
    bool extended_ = false, in_tls_ = false, pipelined_ = false, hang_up_ = false, died_ = false, counted_ = false,
         lost_in_content_ = false;
    bool checks_bare_newline_ = false;
    table::outcome xclient_ = table::outcome::not_found, xforward_ = table::outcome::not_found;  // who may say them
    std::string counted_as_;
    keyword_set discarded_ = 0;
    bool keywords_unknown_ = false;  // the lookup of smtpd_discard_ehlo_keyword_address_maps failed
    tls::session_summary tls_;
    transaction transaction_;
    address::mail_leftovers leftovers_;
    access_memory memory_;
    std::optional<std::string> recipient_, etrn_domain_;  // of the command that is judged
    std::string recipient_as_sent_, command_;
    chunks chunks_ = chunks::none;
    std::map<std::string, std::string, std::less<>> forwarded_;  // XFORWARD
    std::string sasl_method_, sasl_username_, xclient_login_;
    std::string text_;  // the command line
    std::string where_ = "CONNECT";
    const char* death_ = "exit status 1";
    std::string reason_;       // why the session is aborted
    std::uint64_t bytes_ = 0;  // of the content, when it is lost
    io_error error_ = io_error::none;
    int errors_ = 0, junk_ = 0, pauses_ = 0;
    unsigned seen_notices_ = 0;
    std::deque<std::string> history_;
    std::array<counter, 16> counters_{};
    std::string last_reply_;
};

}  // namespace mta::smtpd
