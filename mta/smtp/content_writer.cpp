#include "mta/smtp/content_writer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "mta/address/header_addresses.hpp"
#include "mta/address/map_address.hpp"
#include "mta/address/quote.hpp"
#include "mta/delivery/request.hpp"
#include "mta/text/strings.hpp"

namespace mta::smtp {
namespace {

constexpr std::size_t shown_content_bytes = 60;

cleanup::mime_options options_of(const filters& with, bool downgrade) {
    cleanup::mime_options mime = with.mime;
    mime.downgrade = mime.report_nesting = downgrade;
    mime.ignore_structure = !downgrade && !with.checks_content();
    return mime;
}

}  // namespace

content_writer::content_writer(const filters& with, const address::trivial_rewrite& rewrite, std::string_view content,
                               bool downgrade)
    : filters_(with), rewrite_(rewrite), rest_(content), room_(with.smtp_line_limit) {
    if (downgrade || with.checks_content() || !with.generic.empty())
        parser_.emplace(options_of(with, downgrade), with.headers, static_cast<cleanup::mime_handler&>(*this));
}

bool content_writer::write(std::string& out, std::size_t enough) {
    out_ = &out;
    while (!rest_.empty() && failed_ == problem::none && out.size() < enough) {
        const std::size_t length = std::min(rest_.find('\n'), rest_.size());
        // In the pieces that the queue file has of a long line.
        const bool whole = length <= filters_.queue_line_limit;
        const std::string_view piece = rest_.substr(0, whole ? length : filters_.queue_line_limit);
        rest_.remove_prefix(std::min(piece.size() + (whole ? 1 : 0), rest_.size()));
        if (parser_) {
            parser_->text(piece, whole);
        } else {
            put(piece, whole);
        }
    }
    if (failed_ != problem::none) return false;
    if (!rest_.empty()) return true;
    if (parser_ && !ended_) parser_->end();
    ended_ = true;
    return false;
}

std::vector<content_writer::remark> content_writer::take_remarks() {
    return std::exchange(remarks_, {});
}

// smtp_text_out: a line that is too long is broken, whatever it breaks.
void content_writer::put(std::string_view text, bool whole) {
    const std::size_t limit = filters_.smtp_line_limit;
    std::string& out = *out_;
    do {
        if (at_line_start_ && text.starts_with('.')) out += '.';
        if (limit == 0 || text.size() < room_) {
            out += text;
            if (whole) {
                out += "\r\n";
                room_ = limit;
                at_line_start_ = true;
            } else if (!text.empty()) {
                room_ -= std::min(room_, text.size());
                at_line_start_ = false;
            }
            return;
        }
        out.append(text.substr(0, room_)) += "\r\n";
        text.remove_prefix(room_);
        room_ = limit;
        at_line_start_ = true;
        if (text.empty() && whole) return;
        out += ' ';
        --room_;
        at_line_start_ = false;
        if (!told_of_breaking_)
            remarks_.push_back(
                {maillog::level::info, fmt::format("breaking line > {} bytes with <CR><LF>SPACE", limit)});
        told_of_breaking_ = true;
    } while (!text.empty());
}

// Every line after the first is a continuation line, whatever put it there.
void content_writer::put_header(std::string_view text) {
    for (bool first = true;; first = false) {
        const std::size_t length = std::min(text.find('\n'), text.size());
        const std::string_view line = text.substr(0, length);
        if (!first && !line.starts_with(' ') && !line.starts_with('\t')) put("\t", false);
        put(line, true);
        if (length == text.size()) return;
        text.remove_prefix(length + 1);
    }
}

void content_writer::header(cleanup::header_class where, const cleanup::header_options* options, std::string& text) {
    if (failed_ != problem::none) return;
    const bool primary = where == cleanup::header_class::primary;
    if (options && options->is(cleanup::header_mime)) where = cleanup::header_class::multipart;
    const table::maps& checks = where == cleanup::header_class::primary     ? filters_.header_checks
                                : where == cleanup::header_class::multipart ? filters_.mime_header_checks
                                                                            : filters_.nested_header_checks;
    if (!survives(checks, cleanup::check_place::header, text) || failed_ != problem::none) return;
    const bool has_addresses =
        options && (options->is(cleanup::header_sender) || options->is(cleanup::header_recipient));
    if (primary && has_addresses && !filters_.generic.empty()) {
        put_header(with_generic_addresses(text));
    } else {
        put_header(text);
    }
}

std::string content_writer::with_generic_addresses(const std::string& header) {
    const std::string_view whole = header;
    const std::size_t colon = std::min(whole.find(':'), whole.size());
    auto rewritten = address::rewrite_header(
        whole.substr(0, colon), whole.substr(std::min(colon + 1, whole.size())), filters_.token_limit,
        [&](std::string_view external) {
            const auto mapped = address::map_address(filters_.generic, address::unquote_822_local(external),
                                                     filters_.propagate_extensions, rewrite_, filters_.token_limit);
            for (const std::string& each : mapped.match.result.warnings) warn(each);
            if (mapped.match.failed()) {
                throw delivery::agent_died{
                    fmt::format("{} map lookup problem for {}", filters_.generic.title(), external)};
            }
            if (mapped.addresses.empty()) return std::string(external);
            if (mapped.addresses.size() > 1)
                warn(fmt::format("multi-valued {} result for {}", filters_.generic.title(), external));
            return address::quote_822_local(mapped.addresses.front());
        });
    for (std::string& each : rewritten.warnings) warn(std::move(each));
    return rewritten.text;
}

void content_writer::body(std::string_view text, bool whole, std::int64_t) {
    if (failed_ != problem::none) return;
    if (filters_.body_checks.empty()) return put(text, whole);
    std::string checked(text);
    if (survives(filters_.body_checks, cleanup::check_place::body, checked) && failed_ == problem::none)
        put(checked, whole);
}

void content_writer::error(cleanup::mime_error, std::string_view) {
    failed_ = problem::nesting;
}

// False: the text stays out of the message. `text` is replaced when the table says so.
bool content_writer::survives(const table::maps& checks, cleanup::check_place place, std::string& text) {
    if (checks.empty()) return true;
    const table::match match = checks.find(text);
    for (const std::string& each : match.result.warnings) warn(each);
    if (match.failed()) {
        std::string told = fmt::format("smtp {} checks lookup error", cleanup::name_of(place));
        remarks_.push_back({maillog::level::warning, std::move(told)});
        failed_ = problem::table;
        return false;
    }
    if (!match.found()) return true;
    const cleanup::check what = cleanup::parse_client_check(match.result.value, place, checks.title());
    if (!what.warning.empty()) warn(what.warning);
    return act(what, place, text);
}

bool content_writer::act(const cleanup::check& what, cleanup::check_place place, std::string& text) {
    using cleanup::check_action;
    if (what.action == check_action::none) return true;
    if (what.action == check_action::ignore) return false;
    const std::string_view begin = std::string_view(text).substr(0, shown_content_bytes);
    std::string told = fmt::format("{}: {} {}", cleanup::name_of(what.action), cleanup::name_of(place), begin);
    if (!what.text.empty()) told += ": " + what.text;
    remarks_.push_back({maillog::level::info, std::move(told)});
    if (what.action == check_action::replace) text = what.text;
    if (what.action == check_action::prepend) put(what.text, true);
    return what.action != check_action::strip;
}

}  // namespace mta::smtp
