// mta/smtpd/access.hpp - what smtpd allows: the restriction lists, evaluated in their order (smtpd_check.c,
// SMTPD_ACCESS_README, access(5)).
//
// Lists are parsed and checked once, at the start of the service; evaluating one yields a verdict and never throws. A restriction
// that cannot be evaluated ends in the reply that Postfix gives for a wrong configuration, and a warning in the log.
#pragma once
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mta/async/task.hpp"
#include "mta/smtpd/peer.hpp"

namespace mta::master {
class mail_system;
struct daemon;
}

namespace mta::smtpd {

// What of a session restrictions look at.
struct access_facts {
    const peer* client = nullptr;
    std::string helo;
    std::optional<std::string> sender, recipient;       // internal form; absent before MAIL and RCPT
    std::string sender_as_sent, recipient_as_sent;      // with their angle brackets
    std::string protocol = "SMTP";
    std::string sasl_username;
    std::string queue_id;
    bool tls = false;
};

enum class stage : std::uint8_t { connect, helo, mail, rcpt, data, end_of_data, etrn, vrfy };

struct decision {
    enum class outcome : std::uint8_t { dunno, permit, refuse };
    outcome what = outcome::dunno;
    std::string reply;                                  // of a refusal: "554 5.7.1 <a@b>: Relay access denied"
    bool hang_up = false;                               // the connection is cut without a reply (HANGUP)
    bool process_dies = false;                          // as Postfix's does of what it cannot understand
    bool refused() const { return what == outcome::refuse; }
};

class access {
  public:
    access(master::mail_system& mail, master::daemon& service);
    ~access();

    // What the client's command at this stage is to hear, with delay_reject taken into account.
    task<decision> check(stage at, const access_facts& facts, const maillog::process& by);

  private:
    struct lists;
    struct evaluation;
    struct restriction;
    task<decision> run(const std::vector<std::string>& list, const char* parameter, evaluation& now);
    task<decision> evaluate(std::string_view name, evaluation& now);
    void log_refusal(const evaluation& now, const decision& what) const;
    bool authorized_destination(const evaluation& now) const;
    decision unlisted_recipient(const evaluation& now) const;

    master::mail_system& mail_;
    master::daemon& service_;
    std::unique_ptr<const lists> lists_;
};

}  // namespace mta::smtpd
