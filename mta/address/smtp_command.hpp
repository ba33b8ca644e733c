// mta/address/smtp_command.hpp - an SMTP command line taken apart as smtpd(8) does (RFC 5321 4.1, RFC 1870, 3461, 4954,
// 6531).
//
// Pure functions over one line without its CRLF: tokens, then typed commands. What is wrong comes out as a `refusal`
// with Postfix's reply. Whether a command fits the state of the session, and restrictions, are the session's business.
// Output is bounded by the length of the line.
#pragma once
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace mta::address {

enum class verb : std::uint8_t {
    unknown,
    helo,
    ehlo,
    starttls,
    auth,
    mail,
    rcpt,
    data,
    bdat,
    rset,
    noop,
    vrfy,
    etrn,
    quit,
    xclient,
    xforward
};
std::string_view name_of(verb value);  // "MAIL"; "UNKNOWN" as in the `disconnect` line

struct argument {
    std::string text;           // as sent, quotes and all
    bool unterminated = false;  // a <...> or "..." in it is not closed
    friend bool operator==(const argument&, const argument&) = default;
};

struct command_line {
    verb name = verb::unknown;
    std::vector<argument> arguments;  // the verb itself is the first
    std::string_view word() const { return arguments.front().text; }
};

// What a refused MAIL leaves behind in smtpd(8): until a reset, the next MAIL begins with it.
struct mail_leftovers {
    bool auth = false;  // AUTH= was given, and may not be given again
    std::int64_t size = 0;
    bool smtputf8 = false;  // declared; the next MAIL forgets it
};

// What class of notice a refusal belongs to (notify_classes).
enum class refusal_class : std::uint8_t { protocol, policy };
struct refusal {
    std::string reply;  // "501 5.5.4 Syntax: MAIL FROM:<address>"
    refusal_class cause = refusal_class::protocol;
    // The "Illegal address syntax from CLIENT in MAIL command: " warning's last part, already printable.
    std::optional<std::string> illegal_address = std::nullopt;
    mail_leftovers leftovers = {};
    std::string warning = {};  // of its own, "unknown DSN NOTIFY command value ..."
};
template <class value>
using parsed = std::variant<value, refusal>;

std::vector<argument> tokenize_command(std::string_view line);
// 500 5.5.2 for bad UTF-8 (with smtputf8_enable) and for an empty line. An unknown verb is no refusal.
parsed<command_line> parse_command(std::string_view line, bool smtputf8_enable = true);
// "Subject:" as a verb: a web browser or a message, not an SMTP client (is_header(3)).
bool looks_like_header(std::string_view word);

// Parameters and facts of the session that the grammar depends on.
struct command_rules {
    bool strict_rfc821_envelopes = false;
    bool smtputf8 = true;           // smtputf8_enable, and SMTPUTF8 not discarded by smtpd_discard_ehlo_keywords
    bool smtputf8_enable = true;    // whether it is discarded or not
    bool dsn = true;                // DSN not discarded
    mail_leftovers leftovers = {};  // of an earlier MAIL that was refused
    bool xverp_allowed = false;     // smtpd_authorized_verp_clients
    std::string default_verp_delimiters = "+=";
    std::string verp_delimiter_filter = "-=+";
    // For an address in internal form, once rewritten (rewrite_internal): resolve_address's recipient, or nothing where
    // it marks an error. Without the function every address is good.
    std::function<std::optional<std::string>(std::string_view internal_address)> resolve;
    // The lesser form of `resolve`, asked besides it: false for an error. A domain is then judged as it was written.
    std::function<bool(std::string_view internal_address)> resolvable;
};

enum class body_type : std::uint8_t { unspecified, seven_bit, eight_bit_mime };
enum class dsn_ret : std::uint8_t { unspecified, full, headers };

struct mail_command {
    std::string reverse_path;  // internal form; "" for <>
    std::string as_sent;       // "<user@domain>"
    std::int64_t size = 0;     // SIZE=, 0 when not given
    body_type body = body_type::unspecified;
    bool smtputf8 = false;
    dsn_ret ret = dsn_ret::unspecified;
    std::string envid;                           // decoded
    std::optional<std::string> auth;             // AUTH=, as sent but printable; absent for <> too
    std::optional<std::string> verp_delimiters;  // XVERP
    // For a session that refuses this command itself, before its restrictions: \"552 Message size exceeds fixed
    // limit\".
    mail_leftovers leftovers;
};

enum notify : std::uint8_t { notify_never = 1, notify_success = 2, notify_failure = 4, notify_delay = 8 };
struct rcpt_command {
    std::string forward_path;  // internal form
    std::string as_sent;
    unsigned notify = 0;  // bits of `notify`; 0 when not given
    // ORCPT=: "rfc822;user@domain" decoded and in Postfix's own form; empty when not given.
    std::string orcpt_type;
    std::string orcpt_address;
};

parsed<mail_command> parse_mail(const command_line& line, const command_rules& rules);
// `smtputf8`: the transaction's MAIL had SMTPUTF8.
parsed<rcpt_command> parse_rcpt(const command_line& line, const command_rules& rules, bool smtputf8);

// An address as MAIL and RCPT and VRFY take it: brackets or none, source route cut off, comments ignored.
struct envelope_address {
    std::string internal;
    bool several = false;      // more than one address
    bool only_address = true;  // nothing beside it, and in angle brackets
};
envelope_address extract_envelope_address(std::string_view as_sent);

struct helo_command {
    std::string name;     // words joined, unsafe characters as '?'
    std::string as_said;  // words joined: what is judged
};  // HELO and EHLO
struct vrfy_command {
    std::string address;
    std::string as_sent;
    bool smtputf8 = false;
};
struct etrn_command {
    std::string domain;
};
struct auth_command {
    std::string mechanism;
    std::optional<std::string> initial_response;
};
struct bdat_command {
    std::int64_t size = 0;
    bool last = false;
};
struct bare_command {};                                                   // DATA, RSET, STARTTLS, QUIT, NOOP
using attribute_list = std::vector<std::pair<std::string, std::string>>;  // names as sent; a value may be missing

parsed<helo_command> parse_helo(const command_line& line, bool smtputf8_enable = true);
bool has_vrfy_argument(const command_line& line, const command_rules& rules);
// Has the argument as the reply repeats it.
parsed<vrfy_command> parse_vrfy(const command_line& line, const command_rules& rules);
parsed<etrn_command> parse_etrn(const command_line& line);
parsed<auth_command> parse_auth(const command_line& line);
parsed<bdat_command> parse_bdat(const command_line& line);
parsed<bare_command> parse_bare(const command_line& line);
parsed<attribute_list> parse_attributes(const command_line& line);

// Text for a log or a reply: what is no printable ASCII, or UTF-8 where allowed, becomes `otherwise` (printable(3)).
std::string printable(std::string_view text, bool utf8, char otherwise = '?');
// printable(), and `?` for what would be taken for syntax in a log or a header: what a client calls itself.
std::string neutered(std::string_view text, bool utf8);

// NOTIFY= and RET= values; 0 and `unspecified` for anything malformed (dsn_mask(3)).
unsigned parse_notify(std::string_view text);
dsn_ret parse_ret(std::string_view text);

}  // namespace mta::address
