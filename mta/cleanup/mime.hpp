// mta/cleanup/mime.hpp - the structure of a message as it goes by: headers, parts, nested messages (mime_state(3),
// RFC 2045-2046, RFC 5322 2.2).
//
// Fed with lines, or pieces of long lines, it hands out whole headers and body pieces at once, so that a message of any
// size takes the memory of one header. Wrong structure is reported to the handler and otherwise taken as it comes;
// limits on header length, boundary length and nesting bound the work.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "mta/cleanup/header_options.hpp"
#include "mta/cleanup/quoted_printable.hpp"

namespace mta::cleanup {

// Where a header stands: at the top, at the head of a part, or in a message/rfc822.
enum class header_class : std::uint8_t { primary, multipart, nested };

// As bits, the gravest first.
enum class mime_error : std::uint8_t {
    none = 0,
    nesting = 1,
    truncated_header = 2,
    eight_bit_header = 4,
    eight_bit_body = 8,
    encoding_domain = 16
};
struct mime_error_text {
    const char *dsn, *text;
};
mime_error_text describe(mime_error error);
// The gravest of several; none when there is none.
mime_error gravest(unsigned errors);

class mime_handler {
  public:
    virtual ~mime_handler() = default;
    // One header, folded lines joined by LF, without the last LF. It may be changed. `options` is null for an unknown
    // one.
    virtual void header(header_class where, const header_options* options, std::string& text) = 0;
    virtual void primary_headers_end() = 0;
    // A line of a body, or a piece of one when not `whole`; `offset` counts from the start of its body.
    virtual void body(std::string_view text, bool whole, std::int64_t offset) = 0;
    virtual void error(mime_error error, std::string_view text) = 0;
};

struct mime_options {
    bool ignore_structure = false;  // disable_mime_input_processing: one header, one body
    bool downgrade = false;         // 8-bit parts become quoted-printable, and what holds them 7bit
    bool report_nesting = false, report_truncated_header = false, report_eight_bit_header = false;
    bool report_eight_bit_body = false, report_encoding_domain = false;
    // A header of this size takes no further line; the line that reached it stays whole.
    std::size_t header_size_limit = 102400;
    std::size_t boundary_length_limit = 2048;
    int nesting_limit = 100;
};

class mime_parser {
  public:
    // The table and the handler must outlive it.
    mime_parser(const mime_options& options, const header_table& headers, mime_handler& handler);

    // The next line without its LF, or with `whole` false a piece of one.
    void text(std::string_view piece, bool whole);
    void end();
    unsigned errors() const { return errors_; }  // of mime_error
    // All that follows is body text in which no part can begin.
    bool in_plain_body() const { return in_body_ && boundaries_.empty(); }

  private:
    enum class media : std::uint8_t { other, text, message, multipart };
    enum class subtype : std::uint8_t { other, plain, rfc822, partial, external_body };
    enum class encoding : std::uint8_t { seven_bit, eight_bit, binary, base64, quoted_printable };
    struct boundary {
        media default_media;
        subtype default_subtype;
        std::string text;
    };

    bool continue_header(std::string_view piece);
    void finish_header();
    bool begin_header(std::string_view piece);
    void end_headers(const std::string_view* first_body_line);
    void body_text(std::string_view piece, bool whole);
    void find_boundary(std::string_view piece);
    void read_content_type(std::string_view value);
    void read_boundaries(std::string_view rest, bool digest);
    void read_encoding(std::string_view value);
    void check_encoding_domain();
    void enter(header_class where, media type, subtype sub);
    void enter_body() { in_body_ = true, body_offset_ = 0; }
    void report(mime_error error, std::string_view text);
    void hand_out_body(std::string_view piece, bool whole);
    bool downgrades() const { return options_.downgrade && domain_ != encoding::seven_bit; }
    void tell_new_encoding();

    const mime_options options_;
    const header_table& headers_;
    mime_handler& handler_;
    bool in_body_ = false;
    header_class class_ = header_class::primary;
    media media_ = media::text;
    subtype subtype_ = subtype::plain;
    encoding encoding_ = encoding::seven_bit, domain_ = encoding::seven_bit;
    bool previous_was_piece_ = false;
    std::string header_;  // being gathered
    std::vector<boundary> boundaries_;
    std::int64_t body_offset_ = 0;
    quoted_printable_encoder encoder_;
    unsigned errors_ = 0;
};

// A token of a structured MIME header (header_token(3)): `kind` is 'a' for an atom, '"' for a quoted string, else the
// special character itself.
struct mime_token {
    char kind = 0;
    std::string text;
};
// Reads tokens up to `terminator` (0: as far as there is text) and moves `rest` past it; at most `limit` are kept.
// False when nothing is left.
bool next_tokens(std::string_view& rest, std::string_view specials, char terminator, std::size_t limit,
                 std::vector<mime_token>& out);

}  // namespace mta::cleanup
