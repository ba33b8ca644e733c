// sim/record/received_chain.hpp - the Received headers of a delivered message, and whether they tell what happened.
//
// RFC 5321 4.4 and the forms that smtpd(8), pickup(8), local(8) and bounce(8) write. A header that fits no form is kept
// with what could be read of it: it comes from a network. At most 1000 headers are looked at.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "sim/record/trace.hpp"

namespace sim::record {

struct received_header {
    std::string from;  // what the client said it is; "" for mail that came by no network
    std::string client_name, client_address;
    std::string by;
    std::string with;  // "ESMTPS"; "" where the header has none
    std::string id;
    std::string recipient;  // of "for <...>", or ""
    std::string date;
    std::string text;  // unfolded
};

// Top to bottom: the last hop comes first.
std::vector<received_header> received_chain(std::string_view message);

struct chain_difference {
    std::string hop;               // "mail.ohio.cc E2180A72621"
    std::string field;             // by, from, id, with, or "header" for one that is missing or too many
    std::string recorded, header;  // what the record says; what the message says
    std::string explanation;       // one sentence
};

// Holds the headers of a message against the stops that lead to `stop`; nothing when they agree hop by hop.
std::vector<chain_difference> compare_received(const std::vector<received_header>& headers, const message_trace& story,
                                               std::size_t stop);

}  // namespace sim::record
