// mta/address/token.hpp - RFC 822 tokens, read and written as Postfix does (tok822): the base of every address job.
//
// `scan` cuts text into tokens, `parse_addresses` groups them into addresses, `internalize` prints them without quotes
// and `externalize` with. All accept any bytes and never fail; what RFC 822 forbids comes out as some token list.
// Output is at most about twice the input; nesting of comments is counted, not recursed into.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace mta::address {

enum class token_kind : std::uint8_t {
    op,  // one of | % ! ( ) , . : ; < > @ [ ] and a stray quote or backslash
    atom,
    quoted_string,   // text without the quotes
    domain_literal,  // text without the brackets
    comment,         // text with its outer parentheses
    address,         // children: the tokens of one address, its route and phrase excluded
    group_start,     // the ':' of `phrase: members;`
};

struct token {
    token_kind kind = token_kind::op;
    char op = 0;  // for kind op; a group_start prints as ':'
    std::string text;
    std::vector<token> children;  // for kind address
    bool joined = false;          // part of an address: printed without a space after it

    bool is(char c) const { return kind == token_kind::op && op == c; }
    friend bool operator==(const token&, const token&) = default;
};
using token_list = std::vector<token>;

token make_op(char op);
token make_quoted_string(std::string_view text);

// At most `limit` tokens when `limit` is not 0.
token_list scan(std::string_view text, std::size_t limit = 0);
// Addresses of a header or command; phrases, comments, brackets, commas and groups stay beside them (tok822_parse).
token_list parse_addresses(std::string_view text, std::size_t limit = 0);

// `one_a_line` starts a line after each comma, as in a rewritten header.
enum class token_print : std::uint8_t { plain, one_a_line };
std::string internalize(const token_list& tokens, token_print print = token_print::plain);
std::string externalize(const token_list& tokens, token_print print = token_print::plain);

// Index of the first or last operator `op`; `npos` when absent.
inline constexpr std::size_t no_token = static_cast<std::size_t>(-1);
std::size_t find_op(const token_list& tokens, char op, std::size_t from = 0);
std::size_t rfind_op(const token_list& tokens, char op);

// As `externalize` with `one_a_line`, for a header that goes out: an address that has more than 250 characters of
// phrases and comments about it loses them, and a warning for the log is added.
std::string externalize_header(const token_list& tokens, std::vector<std::string>& warnings);

// user@host.domain in characters that mean themselves: such an address scans, prints and rewrites to itself, whatever
// the parameters, and most addresses are so.
bool is_plain(std::string_view address);

// The address nodes of a parsed list, in order (tok822_grep).
std::vector<const token*> addresses_in(const token_list& tokens);
std::vector<const token*> addresses_in(token_list&&) = delete;  // they would dangle

}  // namespace mta::address
