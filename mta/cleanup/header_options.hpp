// mta/cleanup/header_options.hpp - what the headers are that mail systems know, and what is to be done with each
// (header_opts(3), RFC 5322 3.6, RFC 2045; message_drop_headers).
//
// Never fails; a name that is not known has no options.
#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace mta::cleanup {

enum class header_type : std::uint8_t {
    other,
    apparently_to,
    bcc,
    cc,
    content_description,
    content_disposition,
    content_id,
    content_length,
    content_transfer_encoding,
    content_type,
    delivered_to,
    disposition_notification_to,
    date,
    errors_to,
    from,
    mail_followup_to,
    message_id,
    mime_version,
    received,
    reply_to,
    resent_bcc,
    resent_cc,
    resent_date,
    resent_from,
    resent_message_id,
    resent_reply_to,
    resent_sender,
    resent_to,
    return_path,
    return_receipt_to,
    sender,
    to,
};

enum header_flag : std::uint8_t {
    header_dropped = 1,    // left out of the queue file
    header_sender = 2,     // holds addresses of senders
    header_recipient = 4,  // of recipients
    header_resent = 8,
    header_extracted = 16,  // sendmail -t takes recipients from it
    header_mime = 32,
};

struct header_options {
    header_type type = header_type::other;
    std::uint8_t flags = 0;
    bool is(header_flag flag) const { return (flags & flag) != 0; }
};

class header_table {
  public:
    explicit header_table(std::span<const std::string> dropped_names);
    // `text` begins with a header's name, up to its colon. Null for a header that is not known.
    const header_options* find(std::string_view text) const;

  private:
    std::map<std::string, header_options, std::less<>> rows_;  // by lower-case name
};

// is_header(3): the length of the name when `line` is a header line (a name of printable characters and a colon,
// perhaps after white space), or 0.
std::size_t header_name_length(std::string_view line);

}  // namespace mta::cleanup
