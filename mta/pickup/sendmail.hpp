// mta/pickup/sendmail.hpp - mail that is submitted on the host itself: sendmail(1), postdrop(1) and pickup(8).
//
// sendmail reads its command line and puts the message into the maildrop; pickup takes it from there through cleanup
// into the queue. While the mail system is stopped, the message waits in the maildrop. Not simulated: the reports of
// -v, and -bv.
#pragma once
#include "mta/master/mail_system.hpp"

namespace mta::pickup {

// As `sendmail -oi`: a line with a dot alone is text.
master::submission_result sendmail(master::mail_system& mail, master::submission message);
// One file of the maildrop. False when it stays there, to be tried again.
bool pick_up(master::mail_system& mail, const queue::message& file);

}  // namespace mta::pickup
