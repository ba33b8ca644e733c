// mta/table/dns_reply_filter.hpp - smtpd_dns_reply_filter, smtp_dns_reply_filter: DNS records that the SMTP server or
// client does not see (postconf(5), dns_rr_filter(3)).
//
// Asked about each record in its text form, "far.test. 300 IN MX 10 mx.far.test."; IGNORE takes it away. Never throws:
// what cannot be asked, or says anything else, makes the whole answer one of status bad_filter.
#pragma once
#include <string>
#include <vector>

#include "mta/dns.hpp"
#include "mta/table/maps.hpp"

namespace mta::table {

// A record as dns_strrecord(3) writes it.
std::string as_text(const dns::record& record);

struct filtered_answer {
    std::vector<std::string> ignored;   // for the log, in order
    std::vector<std::string> warnings;  // after them
};
// Takes records of `type` out of `answer`; with none left it is of status filtered.
filtered_answer filter_answer(const maps& filter, dns::record_type type, dns::response& answer);

}  // namespace mta::table
