// mta/smtpd/access_reply.hpp - the texts of refusals: enhanced status codes and footers (RFC 2034, RFC 3463, access(5),
// smtpd_reject_footer in postconf(5)). Pure functions.
#pragma once
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mta::smtpd {

// What a restriction's reply is about: "Recipient address". The words are those of Postfix's replies.
enum class reply_class : unsigned char {
    client,
    unverified_client,
    certificate,
    sasl_login,
    helo,
    sender,
    recipient,
    etrn,
    data,
    end_of_data
};
std::string_view name_of(reply_class value);

// "5.7.1 go away" cut into status and text; without a status of its own the text has `otherwise` (dsn_split).
struct status_and_text {
    std::string status, text;
};
status_and_text split_status(std::string_view text, std::string_view otherwise);
bool begins_with_status(std::string_view text);  // "5.7.1 ...": RFC 3463

// Address status (X.1.Y) in terms of what the reply is about.
std::string fitting_status(std::string_view status, reply_class about);

// $name and ${name?text} in a template, with Postfix's filter for what clients may put into replies. `find` yields
// nothing for an unknown name, which is then told in `unknown`.
using reply_lookup = std::function<std::optional<std::string>(std::string_view name)>;
struct expansion {
    std::string text;
    std::vector<std::string> unknown;
    bool bad = false;  // the template cannot be read
};
expansion expand_reply(std::string_view text, const reply_lookup& find, std::string_view allowed_characters);

// `reply` with the footer's lines, each with the reply's codes; CRLF between lines.
std::string add_footer(std::string_view reply, std::string_view footer);

}  // namespace mta::smtpd
