// mta/smtp/filters.hpp - the tables and limits that stand between a queued message and the wire (smtp(8):
// smtp_header_checks, smtp_body_checks, smtp_generic_maps, smtp_reply_filter, smtp_line_length_limit).
//
// Read once, at the start of a client service. What tables say when they are opened goes to `complaints`.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "mta/cleanup/header_options.hpp"
#include "mta/cleanup/mime.hpp"
#include "mta/table/maps.hpp"

namespace mta::config {
class parameters;
}
namespace mta::master {
class mail_system;
}

namespace mta::smtp {

struct filters {
    table::maps header_checks, mime_header_checks, nested_header_checks, body_checks, generic, reply;
    bool propagate_extensions = false;    // "generic" in propagate_unmatched_extensions
    bool converts_eight_bit = true;       // disable_mime_output_conversion=no
    std::size_t smtp_line_limit = 998;    // 0: none
    std::size_t queue_line_limit = 2048;  // of a piece of a line, as the queue file holds it
    std::size_t token_limit = 10'240;     // header_address_token_limit
    cleanup::mime_options mime;           // limits only
    cleanup::header_table headers;

    // `prefix` is "smtp_" or "lmtp_".
    filters(master::mail_system& mail, const config::parameters& p, const std::string& prefix,
            std::vector<table::diagnostic>& complaints);
    bool checks_content() const {
        return !header_checks.empty() || !mime_header_checks.empty() || !nested_header_checks.empty() ||
               !body_checks.empty();
    }
};

}  // namespace mta::smtp
