// mta/smtp/content_writer.hpp - the content of a queued message in the form that goes over the wire: filtered, with
// generic addresses, without 8-bit text where the server takes none, no line too long, dots doubled (RFC 5321 4.5.2,
// smtp_proto.c, header_body_checks(3)).
//
// Works through the content piece by piece, so that a message of any size takes the memory of one write. What tables
// have to say is kept for the log. A table that fails, or MIME structure beyond reason, ends the work.
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mta/cleanup/checks.hpp"
#include "mta/cleanup/mime.hpp"
#include "mta/maillog/event.hpp"
#include "mta/smtp/filters.hpp"

namespace mta::address {
class trivial_rewrite;
}

namespace mta::smtp {

class content_writer final : private cleanup::mime_handler {
  public:
    // All must outlive it.
    content_writer(const filters& with, const address::trivial_rewrite& rewrite, std::string_view content,
                   bool downgrade);

    // Appends to `out`, which must be the same each time, until it holds `enough` bytes. False: that was all of it, or
    // the work failed.
    bool write(std::string& out, std::size_t enough);

    enum class problem : std::uint8_t {
        none,
        table,   // a lookup failed: local data error
        nesting  // MIME
    };
    problem failed() const { return failed_; }

    struct remark {
        maillog::level severity;
        std::string text;
        bool of_message = true;  // begins with the queue id
    };
    // What came up since the last call.
    std::vector<remark> take_remarks();

  private:
    void header(cleanup::header_class where, const cleanup::header_options* options, std::string& text) override;
    void primary_headers_end() override {}
    void body(std::string_view text, bool whole, std::int64_t offset) override;
    void error(cleanup::mime_error error, std::string_view text) override;

    bool survives(const table::maps& checks, cleanup::check_place place, std::string& text);
    bool act(const cleanup::check& what, cleanup::check_place place, std::string& text);
    std::string with_generic_addresses(const std::string& header);
    void put_header(std::string_view text);
    void put(std::string_view text, bool whole);
    void warn(std::string text) { remarks_.push_back({maillog::level::warning, std::move(text), false}); }

    const filters& filters_;
    const address::trivial_rewrite& rewrite_;
    std::string_view rest_;
    std::optional<cleanup::mime_parser> parser_;  // where the structure of the message matters
    std::string* out_ = nullptr;
    std::size_t room_;  // left of the line that goes out
    bool at_line_start_ = true, told_of_breaking_ = false, ended_ = false;
    problem failed_ = problem::none;
    std::vector<remark> remarks_;
};

}  // namespace mta::smtp
