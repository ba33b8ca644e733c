// mta/bounce/session_notice.hpp - the letter to the postmaster about an SMTP session that went wrong: what both sides
// said (notify_classes; smtpd_chat.c, smtp_chat.c).
//
// It goes out under the double-bounce address, so that it never causes another.
#pragma once
#include <string>
#include <vector>

namespace mta::master {
class mail_system;
}

namespace mta::bounce {

struct session_notice {
    std::string recipient;    // of the letter
    std::string named_in_to;  // error_notice_recipient, as the To: header has it
    std::string subject;      // after "Postfix "
    std::string opening;      // a paragraph before the transcript, or ""
    std::vector<std::string> transcript;
    std::string closing;  // lines after it, each with its end, or ""
    std::string cleanup_service = "cleanup";
};

void send(master::mail_system& mail, const session_notice& notice);

}  // namespace mta::bounce
