// mta/cleanup/settings.hpp - the parameters and tables of one cleanup service, read at its start (cleanup(8)).
//
// What tables say when they are opened goes to `complaints`.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "mta/address/rewrite.hpp"
#include "mta/async/scheduler.hpp"
#include "mta/cleanup/header_options.hpp"
#include "mta/cleanup/mime.hpp"
#include "mta/table/maps.hpp"
#include "mta/table/match_list.hpp"

namespace mta::config {
class parameters;
}
namespace mta::master {
class mail_system;
}

namespace mta::cleanup {

// canonical_classes, masquerade_classes and their like.
struct address_classes {
    bool envelope_sender = false, envelope_recipient = false, header_sender = false, header_recipient = false;
};

// A canonical table, and where it applies.
struct canonical_table {
    table::maps maps;
    address_classes classes;
};

struct settings {
    std::int64_t message_size_limit, body_checks_size_limit;
    std::size_t line_length_limit, token_limit;
    int hopcount_limit;
    bool always_add_missing_headers, enable_original_recipient, detect_eight_bit, long_queue_ids, soft_bounce, smtputf8;
    bool from_in_standard_format, replace_stray_cr;
    std::string undisclosed_recipients_header, myhostname, always_bcc, empty_address_recipient;
    duration delay_warning_time;
    std::string reject_characters, strip_characters;
    header_table headers;
    mime_options mime;

    address::rewrite_context local_context, remote_context;
    address::rewrite_rules rewrite_rules;
    canonical_table canonical, sender_canonical, recipient_canonical;
    bool propagate_canonical, propagate_virtual;
    std::vector<std::string> masquerade_domains;
    address_classes masquerade_classes;
    bool has_masquerade_exceptions;
    table::string_list masquerade_exceptions;
    table::maps virtual_alias;
    std::size_t virtual_expansion_limit, virtual_recursion_limit, virtual_length_limit, duplicate_limit;
    table::maps sender_bcc, recipient_bcc;
    table::maps header_checks, mime_header_checks, nested_header_checks, body_checks;

    settings(master::mail_system& mail, const config::parameters& parameters,
             std::vector<table::diagnostic>& complaints);
};

// A text with C-like escapes: \n, \t, \001 (unescape(3)).
std::string unescaped(std::string_view text);

}  // namespace mta::cleanup
