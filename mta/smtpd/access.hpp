// mta/smtpd/access.hpp - what smtpd allows: the restriction lists, evaluated in their order (postconf(5), access(5),
// SMTPD_ACCESS_README).
//
// Lists are parsed and checked once, at the start of the service; evaluating one yields a decision and never throws. A
// restriction that cannot be evaluated ends in the reply that Postfix gives for a wrong configuration, and a warning in
// the log. Settings that smtpd would not start with are in `fatal`, in Postfix's words.
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mta/address/resolve.hpp"
#include "mta/async/task.hpp"
#include "mta/smtpd/peer.hpp"
#include "mta/table/table.hpp"

namespace mta::master {
class mail_system;
struct daemon;
}  // namespace mta::master

namespace mta::smtpd {

// What access tables asked for the message that is being received; forgotten at its end and at RSET.
struct message_effects {
    std::string filter, redirect;           // FILTER, REDIRECT: the last one counts
    std::vector<std::string> bcc, prepend;  // in order
    bool hold = false, discard = false;
};

// A refusal that waits for the others to decide (defer_if_permit, defer_if_reject).
struct deferral {
    bool active = false;
    int code = 450;
    std::string dsn, reason;
};

// What restrictions leave behind in one SMTP session. The session keeps it, and has it in its facts.
struct access_memory {
    deferral if_permit, if_reject;
    bool permit_is_maybe_for_client = false, permit_is_maybe_for_helo = false, permit_is_maybe_for_sender = false;
    bool sender_is_checked = false, recipient_is_checked = false;  // reject_unlisted_sender, reject_unlisted_recipient
    message_effects effects;
    std::string policy_instance;  // names the message to policy services

    void reset_message() {
        effects = {};
        policy_instance.clear();
    }
};

// One restriction that was tried: why the decision is what it is.
struct trail_entry {
    std::string list;               // "smtpd_recipient_restrictions", or a class or table it came from
    std::string restriction;        // with its argument
    std::string about;              // "Recipient address <a@b>"
    std::string status;             // dunno, permit, reject, warn, defer_if_permit, ...
    std::string text;               // the reply, or what was logged
    std::string key, table, value;  // of the table entry that hit
    std::string asked;              // what was looked up: an address whose domain may be the key
    table::position where;          // of that entry
    int depth = 0;                  // of nested classes
};

struct client_certificate {
    bool present = false, trusted = false;
    std::string subject, issuer, fingerprint, public_key_fingerprint;
};

// What of an SMTP session restrictions look at.
struct access_facts {
    const peer* client = nullptr;
    endpoint server;             // where the client connected to
    std::string connected_from;  // its address, whatever XCLIENT says
    std::string command;         // "EHLO", "BDAT": when it is not the stage's own name
    std::string helo;
    std::optional<std::string> sender, recipient;   // internal form; absent before MAIL and RCPT. After RCPT: the first
    std::string sender_as_sent, recipient_as_sent;  // with their angle brackets
    std::string etrn_domain;
    std::string protocol = "SMTP";
    bool smtputf8 = false;  // the client declared it, with MAIL or VRFY
    std::string sasl_username, sasl_method, sasl_sender;
    std::string queue_id;
    std::size_t recipient_count = 0;    // accepted so far
    std::int64_t message_size = 0;      // as announced, or as it came
    bool sasl_active = false;           // AUTH is offered in the SMTP session
    bool pipelined_improperly = false;  // this command or one before it
    bool tls = false;
    std::string tls_protocol, tls_cipher;
    int tls_key_bits = 0;
    client_certificate certificate;
    access_memory* memory = nullptr;            // of the session; a decision without one stands alone
    std::vector<trail_entry>* trail = nullptr;  // filled where given
};

enum class stage : std::uint8_t { connect, helo, mail, rcpt, data, end_of_data, etrn, vrfy };

// Whose fault a refusal is: the client's, that of who wrote the address, that of main.cf, or that of a table that could
// not be read.
enum class refusal_cause : std::uint8_t { policy, unknown_user, configuration, lookup };

struct decision {
    enum class outcome : std::uint8_t { dunno, permit, refuse };
    outcome what = outcome::dunno;
    refusal_cause cause = refusal_cause::policy;
    std::string reply;          // of a refusal: "554 5.7.1 <a@b>: Relay access denied"
    bool hang_up = false;       // the connection is cut without a reply (HANGUP)
    bool process_dies = false;  // as Postfix's does of what it cannot understand
    bool refused() const { return what == outcome::refuse; }
};

struct access_settings;

class access {
  public:
    access(master::mail_system& mail, master::daemon& service);
    ~access();

    // What the client's command at this stage is to hear, with delay_reject taken into account.
    task<decision> check(stage at, const access_facts& facts, const maillog::process& by);

    // Why smtpd does not start, or "".
    const std::string& fatal() const;
    // What a process says of its tables when it starts, after what it said `before`: call it once a connection, it
    // speaks once a process.
    void introduce(const std::vector<table::diagnostic>& before, const maillog::process& by);
    // What trivial-rewrite(8) makes of an address, in the local context. It says what it has to say once to each
    // process.
    std::shared_ptr<const address::resolved> resolve(std::string_view sender, std::string_view recipient,
                                                     const maillog::process& by);
    // A 4xx or 5xx reply with smtpd_reject_footer added; lines end in CRLF but for the last.
    std::string with_footer(std::string reply, const access_facts& facts, const maillog::process& by);

  private:
    master::mail_system& mail_;
    std::unique_ptr<access_settings> settings_;
};

}  // namespace mta::smtpd
