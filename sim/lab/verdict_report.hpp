// sim/lab/verdict_report.hpp - why a mail would be accepted or refused: each command's reply, each restriction that was
// tried, and where the one that decided is written.
//
// Plain values, for whoever shows them. Nothing throws.
#pragma once
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mta/smtpd/trial.hpp"
#include "sim/lab/places.hpp"
#include "sim/lab/trial.hpp"

namespace mta::smtpd {
class server;
}

namespace sim::lab {

struct tried_rule {
    std::string list;                                   // the parameter, class or table that it stands in
    std::string restriction;                            // with its argument
    std::string about;                                  // "Recipient address <a@b>"
    std::string status;                                 // dunno, permit, reject, warn, ...
    std::string text;                                   // the reply, or what was logged
    std::string place;                                  // "/etc/postfix/main.cf:17"; "" where nobody wrote it
    std::string table, key, value, asked, entry_place;  // of a table's entry that hit
    int depth = 0;                                      // of classes in lists, lists in tables
    bool decided = false;
};

struct stage_report {
    std::string stage;    // "RCPT"
    std::string command;  // "RCPT TO:<a@b>"; "" for the connection itself
    std::string reply;    // lines between CRLF
    bool refused = false, closes = false;
    std::string decided_by;  // one sentence; "" where nothing had to be decided
    std::vector<tried_rule> rules;
};

struct verdict_report {
    std::string client;
    std::vector<stage_report> stages;
    std::vector<std::string> effects;     // "HOLD", "REDIRECT a@b"
    std::vector<std::string> complaints;  // what smtpd logs meanwhile, as warnings and worse
    std::vector<std::string> notes;       // what the answer does not show
    bool refused = false;                 // anything
};

class examiner {
  public:
    // `service`: "smtp", "submission", "587". Throws mta::config::fatal for what smtpd would not start with, a missing
    // service among it.
    examiner(trial& host, std::string_view service);
    ~examiner();

    // A client as the command line gives it: "203.0.113.7", "203.0.113.7[name]", "name[203.0.113.7]". Without a name
    // the DNS is asked. Nothing for what is no client.
    std::optional<mta::smtpd::peer> client(std::string_view text);
    verdict_report explain(const mta::smtpd::trial_question& what);

    // The reply that decides, and at what command: for many questions.
    struct verdict {
        std::string_view stage, reply;
        bool refused = false;
    };
    // `next` fills in a question, or says false: that was all. `tell` hears of each in turn.
    void judge(const std::function<bool(mta::smtpd::trial_question&)>& next,
               const std::function<void(const verdict&)>& tell);

    // The trail in the words of `smtpd -v`.
    static std::vector<std::string> as_postfix_logs(const verdict_report& report);

  private:
    stage_report report(const mta::smtpd::trial_answer& answer);
    void add_notes(const mta::smtpd::trial_question& what, verdict_report& made) const;

    trial& host_;
    mta::master::daemon& service_;
    places places_;
    std::unique_ptr<mta::smtpd::server> server_;
    std::unique_ptr<mta::smtpd::trial> trial_;
};

}  // namespace sim::lab
