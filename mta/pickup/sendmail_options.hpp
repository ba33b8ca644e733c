// mta/pickup/sendmail_options.hpp - the command line of sendmail(1), as Postfix's reads it.
//
// Pure. What it would not run with is `fatal`, in its own words; what it only complains of is among the warnings.
#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "mta/queue/queue_file.hpp"

namespace mta::pickup {

struct sendmail_options {
    std::optional<std::string> sender;                                 // -f, -r
    std::optional<std::string> full_name;                              // -F
    bool extracts_recipients = false;                                  // -t
    bool gateway = false;                                              // -G
    bool verifies = false;                                             // -bv
    bool records = false;                                              // -v
    bool delivers = true;                                              // not another job: mailq, newaliases, a daemon
    std::string other_job;                                             // "display queue mode", which has no recipients
    bool flushes = false;                                              // -q
    std::string encoding;                                              // -B: "8bit", "7bit"
    std::string envelope_id;                                           // -V
    queue::return_content returns = queue::return_content::not_given;  // -R
    std::uint8_t notify = 0;                                           // -N
    std::string verp_delimiters;                                       // -XV
    std::vector<std::string> arguments;                                // what is no option: recipients
    std::vector<std::string> warnings;
    std::string fatal;  // "-n option not supported", or ""
};

// `default_verp_delimiters` for a bare -XV; others are of `verp_filter`.
sendmail_options read_options(std::span<const std::string> command_line, const std::string& default_verp_delimiters,
                              std::string_view verp_filter);

}  // namespace mta::pickup
