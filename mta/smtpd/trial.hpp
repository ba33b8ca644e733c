// mta/smtpd/trial.hpp - what an SMTP server would answer to an envelope: a session without a connection (smtpd(8),
// SMTPD_ACCESS_README).
//
// The grammar, the restrictions and their order are those of a real session, and so are the replies, to the letter.
// What only a connection has is left out: limits of rates and errors, pipelining, the content. Never throws.
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mta/address/smtp_command.hpp"
#include "mta/smtpd/access.hpp"

namespace mta::smtpd {

class server;

// What the client is and says. Addresses as between the angle brackets, or with them.
struct trial_question {
    peer client;
    std::string helo;  // "" where the client sends neither HELO nor EHLO
    std::string sender;
    std::vector<std::string> recipients;
    std::string login;        // SASL
    std::string etrn_domain;  // asked for instead of a mail
    bool extended = true;     // EHLO
    bool tls = false;
    bool data = false;  // goes on to DATA and the end of the data
};

struct trial_answer {
    stage at = stage::connect;
    std::string command;  // "RCPT TO:<a@b>"
    std::string reply;    // lines between CRLF; "" where the connection is cut without a word
    bool refused = false;
    bool closes = false;             // the connection ends here
    bool by_restrictions = false;    // whether a restriction list decided, rather than the session itself
    std::vector<trail_entry> trail;  // of the restrictions, where it was asked for
};

class trial {
  public:
    // `by` is the process that logs.
    trial(server& of, maillog::process by) : server_(of), by_(std::move(by)) {}

    enum class detail : std::uint8_t { replies, trails };
    // Up to the first refusal of anything but a recipient; `answers` is emptied first. `effects`, where given: what
    // access tables asked for the message.
    task<void> ask(const trial_question& what, detail how, std::vector<trial_answer>& answers,
                   message_effects* effects = nullptr);

  private:
    struct conversation;
    bool say(conversation& with, trial_answer& made, std::string reply, bool refused) const;
    bool fail(conversation& with, trial_answer& made) const;
    // A command as the server reads it; nothing when it has its answer already.
    std::optional<address::command_line> read(conversation& with, trial_answer& made, address::verb expected) const;
    task<bool> restrict(conversation& with, trial_answer& made);
    task<bool> greet(conversation& with);
    task<bool> mail(conversation& with);
    task<void> rcpt(conversation& with, const std::string& recipient);
    task<void> data(conversation& with);
    task<void> etrn(conversation& with);

    server& server_;
    maillog::process by_;
};

}  // namespace mta::smtpd
