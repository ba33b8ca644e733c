#include "mta/cleanup/mime.hpp"

#include <algorithm>

#include "mta/text/strings.hpp"

namespace mta::cleanup {
namespace {

constexpr std::string_view tspecials = "()<>@,;:\\\"/[]?=";   // RFC 2045
constexpr std::string_view specials_822 = "()<>@,;:\\\".[]";  // RFC 822
constexpr std::size_t tokens_kept = 3;

constexpr bool is_blank(char c) {
    return c == ' ' || c == '\t';
}
constexpr bool is_white(char c) {
    return is_blank(c) || c == '\r' || c == '\n';
}
constexpr bool is_control(char c) {
    return (static_cast<unsigned char>(c) < ' ') || c == 0x7f;
}
bool has_eight_bit(std::string_view text) {
    return std::any_of(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0x80) != 0; });
}

// The index after the comment whose '(' is before `at`.
std::size_t skip_comment(std::string_view text, std::size_t at) {
    for (int depth = 1; at < text.size();) {
        const char c = text[at++];
        if (c == '(') ++depth;
        if (c == ')' && --depth == 0) break;
        if (c == '\\' && at < text.size()) ++at;
    }
    return at;
}

// The index after the quoted string whose '"' is before `at`; its text, unfolded, in `out`.
std::size_t read_quoted(std::string_view text, std::size_t at, std::string& out) {
    while (at < text.size()) {
        char c = text[at++];
        if (c == '"') break;
        if (c == '\n') {
            while (!out.empty() && is_white(out.back())) out.pop_back();
            continue;
        }
        if (c == '\\') {
            if (at == text.size()) break;
            c = text[at++];
        }
        out += c;
    }
    return at;
}

bool is_atom(const mime_token& token, std::string_view text) {
    return token.kind == 'a' && text::equal_ignoring_case(token.text, text);
}

}  // namespace

mime_error_text describe(mime_error error) {
    switch (error) {
        case mime_error::nesting:
            return {"5.6.0", "MIME nesting exceeds safety limit"};
        case mime_error::truncated_header:
            return {"5.6.0", "message header length exceeds safety limit"};
        case mime_error::eight_bit_header:
            return {"5.6.0", "improper use of 8-bit data in message header"};
        case mime_error::eight_bit_body:
            return {"5.6.0", "improper use of 8-bit data in message body"};
        case mime_error::encoding_domain:
            return {"5.6.0", "invalid message/* or multipart/* encoding domain"};
        case mime_error::none:
            break;
    }
    return {"2.0.0", "Success"};
}

mime_error gravest(unsigned errors) {
    for (unsigned bit = 1; bit <= static_cast<unsigned>(mime_error::encoding_domain); bit <<= 1) {
        if (errors & bit) return static_cast<mime_error>(bit);
    }
    return mime_error::none;
}

bool next_tokens(std::string_view& rest, std::string_view specials, char terminator, std::size_t limit,
                 std::vector<mime_token>& out) {
    out.clear();
    if (rest.empty()) return false;
    const auto keep = [&](mime_token token) {
        if (out.size() < limit) out.push_back(std::move(token));
    };
    std::size_t at = 0;
    bool terminated = false;
    while (at < rest.size() && (terminator != 0 || out.size() < limit)) {
        const char c = rest[at++];
        if (is_white(c)) continue;
        if (terminator != 0 && c == terminator) {
            terminated = true;
            break;
        }
        if (c == '(') {
            at = skip_comment(rest, at);
        } else if (c == '"') {
            mime_token quoted{'"', {}};
            at = read_quoted(rest, at, quoted.text);
            keep(std::move(quoted));
        } else if (specials.find(c) != std::string_view::npos || is_control(c)) {
            keep({c, std::string(1, c)});
        } else {
            const std::size_t begin = at - 1;
            while (at < rest.size() && !is_white(rest[at]) && !is_control(rest[at]) &&
                   specials.find(rest[at]) == std::string_view::npos)
                ++at;
            keep({'a', std::string(rest.substr(begin, at - begin))});
        }
    }
    if (out.empty() && !terminated) return false;
    rest.remove_prefix(at);
    return true;
}

mime_parser::mime_parser(const mime_options& options, const header_table& headers, mime_handler& handler)
    : options_(options), headers_(headers), handler_(handler) {}

void mime_parser::report(mime_error error, std::string_view text) {
    const auto bit = static_cast<unsigned>(error);
    if (errors_ & bit) return;
    errors_ |= bit;
    handler_.error(error, text);
}

void mime_parser::text(std::string_view piece, bool whole) {
    if (!in_body_) {
        if (!header_.empty()) {
            if (continue_header(piece)) {
                previous_was_piece_ = !whole;
                return;
            }
            finish_header();
        }
        if (begin_header(piece)) {
            previous_was_piece_ = !whole;
            return;
        }
        end_headers(&piece);
    }
    if (in_body_) {
        body_text(piece, whole);
    } else {
        hand_out_body(piece, whole);  // the empty line before the headers of a nested message
    }
    previous_was_piece_ = !whole;
}

void mime_parser::end() {
    if (previous_was_piece_) text({}, true);
    if (in_body_) return;
    if (!header_.empty()) finish_header();
    end_headers(nullptr);
}

// True when `piece` goes on with the header in hand. What comes once the limit is reached is lost.
bool mime_parser::continue_header(std::string_view piece) {
    const bool folded = !previous_was_piece_ && !piece.empty() && is_blank(piece.front());
    if (!previous_was_piece_ && !folded) return false;
    if (header_.size() >= options_.header_size_limit) {
        if (options_.report_truncated_header) report(mime_error::truncated_header, header_);
        return true;
    }
    if (folded) header_ += '\n';
    header_ += piece;
    return true;
}

void mime_parser::finish_header() {
    const header_options* known = headers_.find(header_);
    if (known && !options_.ignore_structure) {
        const std::string_view value = std::string_view(header_).substr(header_.find(':') + 1);
        if (known->type == header_type::content_type) read_content_type(value);
        if (known->type == header_type::content_transfer_encoding) read_encoding(value);
    }
    if (options_.report_eight_bit_header && has_eight_bit(header_)) report(mime_error::eight_bit_header, header_);
    // Which encoding is the right one then depends on a Content-Type that may yet come.
    const bool told_later = downgrades() && known != nullptr && known->type == header_type::content_transfer_encoding;
    if (!told_later) handler_.header(class_, known, header_);
    previous_was_piece_ = false;
    header_.clear();
}

// "Name : value" becomes "Name: value".
bool mime_parser::begin_header(std::string_view piece) {
    const std::size_t length = header_name_length(piece);
    if (length == 0) return false;
    header_.assign(piece.substr(0, length));
    const std::string_view rest = piece.substr(piece.find(':', length));
    header_ += ':';
    header_ += rest.substr(1);
    return true;
}

// RFC 2045 6.4: what holds other entities says what they are in, and is not encoded itself.
void mime_parser::check_encoding_domain() {
    static constexpr const char* names[] = {"7bit", "8bit", "binary", "base64", "quoted-printable"};
    bool wrong = false;
    if (media_ == media::message && (subtype_ == subtype::partial || subtype_ == subtype::external_body)) {
        wrong = domain_ != encoding::seven_bit;
    } else if (media_ == media::message || media_ == media::multipart) {
        wrong = encoding_ != domain_;
    }
    if (wrong) report(mime_error::encoding_domain, names[static_cast<std::size_t>(encoding_)]);
}

void mime_parser::tell_new_encoding() {
    const bool holds_others = media_ == media::message || media_ == media::multipart;
    std::string text = "Content-Transfer-Encoding: ";
    text += holds_others ? "7bit" : "quoted-printable";
    handler_.header(class_, nullptr, text);
}

// Null: the message ends here.
void mime_parser::end_headers(const std::string_view* first_body_line) {
    if (downgrades()) tell_new_encoding();
    if (class_ == header_class::primary) handler_.primary_headers_end();
    if (options_.report_encoding_domain) check_encoding_domain();
    if (!first_body_line) {
        enter_body();
    } else if (!first_body_line->empty()) {
        // The top gets its empty line. A part stays as it is, for the sake of signatures.
        if (class_ == header_class::primary) hand_out_body({}, true);
        enter_body();
    } else if (media_ == media::message && subtype_ == subtype::rfc822) {
        body_offset_ = 0;
        enter(header_class::nested, media::text, subtype::plain);
    } else {
        enter_body();
        if (media_ == media::multipart) {
            media_ = media::other, subtype_ = subtype::other;
            encoding_ = domain_ = encoding::seven_bit;
        }
    }
}

void mime_parser::enter(header_class where, media type, subtype sub) {
    in_body_ = false;
    class_ = where;
    media_ = type, subtype_ = sub;
    encoding_ = domain_ = encoding::seven_bit;
}

void mime_parser::body_text(std::string_view piece, bool whole) {
    if (options_.report_eight_bit_body && encoding_ == encoding::seven_bit && has_eight_bit(piece)) {
        report(mime_error::eight_bit_body, piece);
    }
    if (!boundaries_.empty() && !previous_was_piece_ && piece.substr(0, 2) == "--") find_boundary(piece);
    if (downgrades()) {
        encoder_.encode(piece, whole, [this](std::string_view line) { hand_out_body(line, true); });
    } else {
        hand_out_body(piece, whole);
    }
}

void mime_parser::find_boundary(std::string_view piece) {
    const std::string_view after_dashes = piece.substr(2);
    for (std::size_t i = boundaries_.size(); i-- > 0;) {
        if (after_dashes.substr(0, boundaries_[i].text.size()) != boundaries_[i].text) continue;
        boundaries_.resize(i + 1);
        const boundary& found = boundaries_.back();
        if (after_dashes.substr(found.text.size(), 2) == "--") {
            boundaries_.pop_back();
            media_ = media::other, subtype_ = subtype::other;
            encoding_ = domain_ = encoding::seven_bit;
            enter_body();
        } else {
            enter(header_class::multipart, found.default_media, found.default_subtype);
        }
        return;
    }
}

void mime_parser::hand_out_body(std::string_view piece, bool whole) {
    const std::int64_t offset = body_offset_;
    body_offset_ += static_cast<std::int64_t>(piece.size()) + 1;
    handler_.body(piece, whole, offset);
}

void mime_parser::read_content_type(std::string_view value) {
    std::vector<mime_token> tokens;
    if (!next_tokens(value, tspecials, ';', tokens_kept, tokens) || tokens.empty()) {
        media_ = media::other;
        return;
    }
    const bool has_subtype = tokens.size() >= 3 && tokens[1].kind == '/';
    const auto subtype_is = [&](std::string_view name) { return has_subtype && is_atom(tokens[2], name); };
    if (is_atom(tokens[0], "text")) {
        media_ = media::text;
        subtype_ = subtype_is("plain") ? subtype::plain : subtype::other;
    } else if (is_atom(tokens[0], "message")) {
        media_ = media::message;
        subtype_ = subtype_is("rfc822")          ? subtype::rfc822
                   : subtype_is("partial")       ? subtype::partial
                   : subtype_is("external-body") ? subtype::external_body
                                                 : subtype::other;
    } else if (is_atom(tokens[0], "multipart")) {
        media_ = media::multipart;
        read_boundaries(value, subtype_is("digest"));
    }
}

// Several boundaries are wrong, and all are honoured: nobody hides a part that way.
void mime_parser::read_boundaries(std::string_view rest, bool digest) {
    std::vector<mime_token> tokens;
    while (next_tokens(rest, tspecials, ';', tokens_kept, tokens)) {
        if (tokens.size() < 3 || !is_atom(tokens[0], "boundary") || tokens[1].kind != '=') continue;
        // The outermost multipart does not count as nested.
        if (static_cast<int>(boundaries_.size()) > options_.nesting_limit + 1) {
            if (options_.report_nesting) report(mime_error::nesting, header_);
            continue;
        }
        boundary next{media::text, subtype::plain, tokens[2].text.substr(0, options_.boundary_length_limit)};
        if (digest) next.default_media = media::message, next.default_subtype = subtype::rfc822;
        boundaries_.push_back(std::move(next));
    }
}

void mime_parser::read_encoding(std::string_view value) {
    struct row {
        std::string_view name;
        encoding coding, domain;
    };
    static constexpr row rows[] = {{"7bit", encoding::seven_bit, encoding::seven_bit},
                                   {"8bit", encoding::eight_bit, encoding::eight_bit},
                                   {"binary", encoding::binary, encoding::binary},
                                   {"base64", encoding::base64, encoding::seven_bit},
                                   {"quoted-printable", encoding::quoted_printable, encoding::seven_bit}};
    std::vector<mime_token> tokens;
    if (!next_tokens(value, specials_822, 0, 1, tokens) || tokens.empty()) return;
    for (const row& each : rows) {
        if (is_atom(tokens[0], each.name)) encoding_ = each.coding, domain_ = each.domain;
    }
}

}  // namespace mta::cleanup
