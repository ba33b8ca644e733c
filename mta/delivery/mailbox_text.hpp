// mta/delivery/mailbox_text.hpp - a message as it is written to a mailbox: the lines in front, and From_ escaped
// (mbox(5)).
#pragma once
#include <string>

#include "mta/delivery/request.hpp"
#include "mta/text/dates.hpp"

namespace mta::delivery {

enum class mailbox_format : std::uint8_t { mbox, maildir };

struct mailbox_headers {
    bool original_to = false;  // X-Original-To, when the recipient has one
    std::string delivered_to;  // "" for none
};

// Ends with the empty line that separates messages in an mbox.
std::string mailbox_text(const request& from, const target& to, const mailbox_headers& headers, mailbox_format format,
                         time_point now, const text::time_zone& zone);

}  // namespace mta::delivery
