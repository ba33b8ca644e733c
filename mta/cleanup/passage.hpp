// mta/cleanup/passage.hpp - one message on its way through cleanup: envelope, content, then what was extracted
// (cleanup_api.c, cleanup_envelope.c, cleanup_message.c, cleanup_extracted.c, cleanup_bounce.c).
//
// The order is Postfix's, because each stage sees what the ones before it made: sender, recipients, headers and body
// line by line, recipients from headers, automatic copies. The first error that ends a message ends the work on it,
// unless the message is to be bounced from here: then all of it is wanted.
#pragma once
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "mta/cleanup/checks.hpp"
#include "mta/cleanup/cleanup.hpp"
#include "mta/cleanup/mapping.hpp"
#include "mta/cleanup/mime.hpp"
#include "mta/cleanup/settings.hpp"

namespace mta::cleanup {

// UTF-8 that is not ASCII: what needs SMTPUTF8 on its way (RFC 6531).
bool is_beyond_ascii(std::string_view text);

class passage final : private mime_handler {
  public:
    // All must outlive it; the message is taken apart.
    passage(master::mail_system& mail, const settings& options, const maillog::process& by, incoming& message);
    result run();

  private:
    // envelope.cpp
    void take_sender();
    void take_recipient(queue::recipient given);
    void add_copy(const std::string& address);
    std::string rewritten(std::string_view internal, bool as_sender);
    void put_out(const queue::recipient& given, const std::string& address, bool is_copy = false);
    void put_out_once(queue::recipient to, bool is_copy);
    void answer_probe(const queue::recipient& to, const std::string& address);
    void log_outcome(std::string_view address, std::string_view original, std::string_view outcome,
                     const queue::delivery_status& status);
    void note(mapping_problems& problems);

    // headers.cpp
    void header(header_class where, const header_options* options, std::string& text) override;
    void primary_headers_end() override;
    void take_known_header(const header_options& options, const std::string& text);
    void note_encoding(std::string_view value);
    void rewrite_addresses(const header_options& options, const std::string& text);
    std::string rewritten_in_header(std::string_view external, bool of_sender, mapping_problems& problems);
    void put_header(std::string_view text);
    void add_header(std::string_view name, std::string_view value);
    void add_from();
    bool completes() const { return rewrite_context_ != nullptr || options_.always_add_missing_headers; }
    bool seen(header_type type) const { return (headers_seen_ >> static_cast<unsigned>(type) & 1) != 0; }
    void mark_seen(header_type type) { headers_seen_ |= std::uint64_t{1} << static_cast<unsigned>(type); }
    const char* resent() const { return is_resent_ ? "Resent-" : ""; }

    // content.cpp
    void take_content();
    void take_line(std::string_view line);
    void take_piece(std::string_view piece, bool whole);
    void body(std::string_view text, bool whole, std::int64_t offset) override;
    void error(mime_error error, std::string_view text) override;
    // What the tables say of a line. False: leave it out. `text` is replaced when they say so.
    bool survives(const table::maps& checks, check_place place, std::string& text);
    bool act(const check& what, check_place place, std::string& text);
    void put_line(std::string_view text, bool whole = true);

    // finish.cpp
    void take_extracted();
    void finish();
    bool can_bounce() const;
    void bounce();
    void queue_it();
    void take_late_actions();

    // file_size.cpp
    void check_size();
    void break_off();
    bool fits(std::size_t limit);
    std::size_t envelope_size() const;

    enum error_flag : unsigned {
        deferred = 1,
        bad = 2,
        no_recipients = 4,
        hops = 8,
        size = 16,
        rejected = 32,
        write = 64
    };
    bool going_on() const { return (errors_ & lethal_) == 0 && !discard_; }
    void fail(error_flag why) { errors_ |= why; }
    result outcome() const;
    void warn(std::string text, bool of_message = true);
    std::string log_context() const;  // "from=<a> to=<b> proto=ESMTP helo=<x>"
    maillog::peer client() const;     // "local" when it was submitted here

    master::mail_system& mail_;
    const settings& options_;
    const maillog::process& by_;
    incoming& message_;
    queue::queue_file& envelope_;
    address_mapper mapper_;
    mime_parser parser_;

    bool filters_, maps_, copies_;
    bool hold_, discard_ = false;
    unsigned errors_ = 0, lethal_;
    std::string reason_;
    std::string last_recipient_;
    bool has_recipient_ = false;
    std::string redirect_, filter_;
    std::vector<std::string> copies_by_checks_;
    std::vector<queue::recipient> recipients_;
    std::set<std::string, std::less<>> duplicates_;

    const address::rewrite_context* rewrite_context_;  // of headers; null: they stay as they are
    std::uint64_t headers_seen_ = 0;
    bool is_resent_ = false;
    bool utf8_ = false;  // found where it needs SMTPUTF8
    bool in_headers_ = true, has_content_ = false;
    std::size_t header_size_ = 0;
    std::size_t cut_record_length_ = 0;  // of the record that does not fit any more
    std::string out_;
};

}  // namespace mta::cleanup
