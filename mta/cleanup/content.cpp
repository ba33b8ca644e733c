// The content of a message, line by line: strange characters, MIME errors, header and body checks (cleanup_message.c,
// header_checks(5)).
#include <fmt/format.h>

#include <algorithm>

#include "mta/cleanup/passage.hpp"
#include "mta/master/mail_system.hpp"
#include "mta/text/strings.hpp"

namespace mta::cleanup {
namespace {

constexpr std::size_t shown_content_bytes = 200, shown_error_bytes = 100;

}  // namespace

void passage::take_content() {
    const std::string content = std::move(message_.content);
    out_.reserve(content.size() + 512);
    std::string_view rest = content;
    const bool edits = filters_ && (!options_.body_checks.empty() || !options_.reject_characters.empty() ||
                                    !options_.strip_characters.empty() || options_.mime.report_eight_bit_body);
    while (!rest.empty() && going_on()) {
        // The greater part of most messages: nobody looks at it any more.
        if (!edits && parser_.in_plain_body()) {
            const std::size_t begin = out_.size();
            out_ += rest;
            if (options_.replace_stray_cr)
                std::replace(out_.begin() + static_cast<std::ptrdiff_t>(begin), out_.end(), '\r', ' ');
            rest = {};
            break;
        }
        const auto end = rest.find('\n');
        take_line(rest.substr(0, end));
        rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    }
    if (!going_on()) return;
    if (!parser_.in_plain_body()) parser_.end();
    if (!out_.empty() && out_.back() != '\n') out_ += '\n';
    const mime_error worst = gravest(parser_.errors() & ~static_cast<unsigned>(mime_error::truncated_header));
    if (worst != mime_error::none && reason_.empty()) {
        fail(rejected);
        const mime_error_text told = describe(worst);
        reason_ = fmt::format("{} {}", told.dsn, told.text);
    }
}

// Long lines come in pieces, as the daemons hand them to cleanup.
void passage::take_line(std::string_view line) {
    while (line.size() > options_.line_length_limit && going_on()) {
        take_piece(line.substr(0, options_.line_length_limit), false);
        line.remove_prefix(options_.line_length_limit);
    }
    if (going_on()) take_piece(line, true);
}

void passage::take_piece(std::string_view piece, bool whole) {
    std::string edited;
    const auto edit = [&]() -> std::string& {
        if (edited.empty()) edited = piece;
        return edited;
    };
    if (options_.replace_stray_cr && piece.find('\r') != std::string_view::npos) {
        std::string& text = edit();
        std::replace(text.begin(), text.end(), '\r', ' ');
        piece = edited;
    }
    if (filters_ && piece.find_first_of(options_.reject_characters) != std::string_view::npos) {
        std::string text(piece);
        act(parse_check("REJECT disallowed character", check_place::content, "character reject"), check_place::content,
            text);
        return;
    }
    if (filters_ && piece.find_first_of(options_.strip_characters) != std::string_view::npos) {
        std::erase_if(edit(), [&](char c) { return options_.strip_characters.find(c) != std::string::npos; });
        piece = edited;
    }
    parser_.text(piece, whole);
}

void passage::body(std::string_view text, bool whole, std::int64_t offset) {
    if (!going_on()) return;
    const bool looks = filters_ && !options_.body_checks.empty() &&
                       (options_.body_checks_size_limit == 0 || offset < options_.body_checks_size_limit);
    if (!looks) {
        put_line(text, whole);
        return;
    }
    std::string checked(text);
    if (survives(options_.body_checks, check_place::body, checked)) put_line(checked, whole);
}

void passage::put_line(std::string_view text, bool whole) {
    if (!going_on()) return;
    out_ += text;
    if (whole) out_ += '\n';
}

void passage::error(mime_error error, std::string_view text) {
    if (error == mime_error::truncated_header) return;
    const std::string stage = fmt::format("mime-error {}: {}", describe(error).text, text.substr(0, shown_error_bytes));
    const std::string context =
        fmt::format("from=<{}> to=<{}>", envelope_.sender, has_recipient_ ? last_recipient_ : "unknown");
    maillog::verdict told;
    told.action = "reject";
    told.stage = stage;
    told.client = client();
    told.context = context;
    mail_.log(by_, envelope_.id, told);
}

bool passage::survives(const table::maps& checks, check_place place, std::string& text) {
    if (checks.empty()) return true;
    const table::match match = checks.find(text);
    for (const std::string& each : match.result.warnings) warn(each, false);
    if (match.failed()) {
        warn(fmt::format("{} map lookup problem -- message not accepted, try again later", checks.title()));
        fail(write);
        return true;
    }
    if (!match.found()) return true;
    const check what = parse_check(match.result.value, place, checks.title());
    if (!what.warning.empty()) warn(what.warning, false);
    return act(what, place, text);
}

bool passage::act(const check& what, check_place place, std::string& text) {
    const auto logged = [&] {
        const std::string stage =
            fmt::format("{} {}", name_of(place), std::string_view(text).substr(0, shown_content_bytes));
        std::string context = log_context();
        if (!what.text.empty()) context += ": " + what.text;
        maillog::verdict told;
        told.action = name_of(what.action);
        told.stage = stage;
        told.client = client();
        told.context = context;
        mail_.log(by_, envelope_.id, told);
    };
    if (what.action == check_action::none) return true;
    if (what.action == check_action::ignore) return false;
    if (what.action == check_action::hold && (hold_ || discard_)) return true;
    logged();
    switch (what.action) {
        case check_action::reject:
            reason_ = what.text;
            fail(what.text[0] == '4' ? deferred : rejected);
            filters_ = false;
            break;
        case check_action::filter:
            filter_ = what.text;
            break;
        case check_action::pass:
            filters_ = false;
            break;
        case check_action::discard:
            discard_ = true;
            filters_ = false;
            break;
        case check_action::hold:
            hold_ = true;
            break;
        case check_action::prepend:
            if (place == check_place::header) {
                put_header(what.text);
            } else {
                put_line(what.text);
            }
            break;
        case check_action::replace:
            text = what.text;
            break;
        case check_action::redirect:
            redirect_ = what.text;
            filters_ = false;
            break;
        case check_action::bcc:
            copies_by_checks_.push_back(what.text);
            break;
        case check_action::strip:
            return false;
        case check_action::warn:
        case check_action::info:
        case check_action::none:
        case check_action::ignore:
            break;
    }
    return true;
}

}  // namespace mta::cleanup
