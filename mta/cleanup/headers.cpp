// The headers of a message: checked, rewritten, completed (cleanup_message.c, RFC 5322 3.6).
#include <fmt/format.h>

#include <algorithm>

#include "mta/address/header_addresses.hpp"
#include "mta/address/quote.hpp"
#include "mta/address/token.hpp"
#include "mta/cleanup/passage.hpp"
#include "mta/master/mail_system.hpp"
#include "mta/text/strings.hpp"

namespace mta::cleanup {
namespace {

std::string_view value_of(std::string_view header) {
    return header.substr(header.find(':') + 1);
}

std::string_view without_leading_space(std::string_view text) {
    const auto begin = std::find_if_not(text.begin(), text.end(), text::is_space);
    return text.substr(static_cast<std::size_t>(begin - text.begin()));
}

}  // namespace

void passage::header(header_class where, const header_options* options, std::string& text) {
    if (!going_on()) return;
    if (options && options->is(header_mime)) where = header_class::multipart;
    if (options && options->type == header_type::received) ++envelope_.hop_count;
    if (filters_) {
        const table::maps& checks = where == header_class::primary     ? options_.header_checks
                                    : where == header_class::multipart ? options_.mime_header_checks
                                                                       : options_.nested_header_checks;
        std::string checked = text;
        if (!survives(checks, check_place::header, checked)) return;
        if (checked != text) {
            text = std::move(checked);
            options = options_.headers.find(text);
        }
    }
    if (!options) {
        put_header(text);
        return;
    }
    if (options->type == header_type::content_transfer_encoding) note_encoding(without_leading_space(value_of(text)));
    // MIME headers are copied wherever they stand.
    if (where != header_class::primary) {
        put_header(text);
    } else {
        take_known_header(*options, text);
    }
}

// What says that it is 8-bit is so, whatever the envelope said.
void passage::note_encoding(std::string_view value) {
    if (!options_.detect_eight_bit) return;
    if (text::equal_ignoring_case(value, "8bit") || text::equal_ignoring_case(value, "binary"))
        envelope_.encoding = "8bit";
}

void passage::take_known_header(const header_options& options, const std::string& text) {
    if (options.type != header_type::other) mark_seen(options.type);
    const std::string_view value = without_leading_space(value_of(text));
    if (options.type == header_type::message_id) mail_.log(by_, envelope_.id, maillog::message_id_seen{value, false});
    if (options.type == header_type::resent_message_id)
        mail_.log(by_, envelope_.id, maillog::message_id_seen{value, true});
    if (options.type == header_type::received && envelope_.hop_count >= options_.hopcount_limit) {
        warn("message rejected: hopcount exceeded");
        fail(hops);
    }
    if (!going_on()) return;
    if (options.is(header_resent)) is_resent_ = true;
    if ((options.is(header_sender) || options.is(header_recipient)) && rewrite_context_) {
        rewrite_addresses(options, text);
    } else if (!options.is(header_dropped)) {
        put_header(text);
    }
}

void passage::rewrite_addresses(const header_options& options, const std::string& text) {
    mapping_problems problems;
    const bool of_sender = options.is(header_sender);
    const std::string_view whole = text;
    const std::string_view name = whole.substr(0, whole.find(':'));
    const auto rewritten = address::rewrite_header(
        name, value_of(whole), options_.token_limit,
        [&](std::string_view external) { return rewritten_in_header(external, of_sender, problems); });
    note(problems);
    for (const std::string& each : rewritten.warnings) warn(each, false);
    if (!options.is(header_dropped)) put_header(rewritten.text);
}

std::string passage::rewritten_in_header(std::string_view external, bool of_sender, mapping_problems& problems) {
    std::string result = address::rewrite_address(external, *rewrite_context_, options_.rewrite_rules);
    if (!maps_) return result;
    const auto applies = [&](const address_classes& classes) {
        return of_sender ? classes.header_sender : classes.header_recipient;
    };
    const canonical_table& own = of_sender ? options_.sender_canonical : options_.recipient_canonical;
    if (applies(own.classes)) mapper_.canonicalize(result, own.maps, problems);
    if (applies(options_.canonical.classes)) mapper_.canonicalize(result, options_.canonical.maps, problems);
    if (applies(options_.masquerade_classes)) mapper_.masquerade(result, problems);
    return result;
}

// Every line after the first is a continuation line, whatever put it there. A header that is too long ends before a
// line, unless that would lose more than a tenth of what may stay.
void passage::put_header(std::string_view text) {
    if (!going_on()) return;
    const std::size_t limit = options_.mime.header_size_limit, whole = text.size();
    for (bool first = true;; first = false) {
        auto end = text.find('\n');
        const std::size_t begin = whole - text.size(), length = std::min(end, text.size());
        if (begin + length > limit) {
            if (static_cast<double>(begin) > 0.9 * static_cast<double>(limit)) return;
            end = std::string_view::npos;
            text = text.substr(0, limit - begin);
        }
        const std::string_view line = text.substr(0, end);
        if (!first && (line.empty() || (line.front() != ' ' && line.front() != '\t'))) out_ += '\t';
        put_line(line);
        if (options_.smtputf8 && message_.detects_utf8 && !utf8_) {
            utf8_ = is_beyond_ascii(line);
        }
        if (end == std::string_view::npos || end + 1 == text.size()) return;
        text.remove_prefix(end + 1);
    }
}

void passage::add_header(std::string_view name, std::string_view value) {
    put_line(fmt::format("{}{}: {}", resent(), name, value));
}

void passage::primary_headers_end() {
    if (!going_on()) return;
    if (envelope_.hop_count < 1) {
        warn("message rejected: no Received: header");
        fail(bad);
        return;
    }
    const header_type id_type = is_resent_ ? header_type::resent_message_id : header_type::message_id;
    if (completes() && !seen(id_type)) {
        const std::string stamp = options_.long_queue_ids ? "" : text::compact_stamp(mail_.now()) + ".";
        const std::string id = fmt::format("<{}{}@{}>", stamp, envelope_.id, options_.myhostname);
        add_header("Message-Id", id);
        mail_.log(by_, envelope_.id, maillog::message_id_seen{id, is_resent_});
        mark_seen(id_type);
    }
    if (!seen(header_type::message_id)) mail_.log(by_, envelope_.id, maillog::message_id_seen{"<>", false});
    if (completes() && !seen(is_resent_ ? header_type::resent_date : header_type::date)) {
        add_header("Date", text::mail_date(envelope_.arrived, mail_.host().time_zone()));
    }
    if (completes() && !seen(is_resent_ ? header_type::resent_from : header_type::from)) add_from();
    const bool names_recipients =
        seen(header_type::to) || seen(header_type::cc) || seen(header_type::resent_to) || seen(header_type::resent_cc);
    const std::string& undisclosed = options_.undisclosed_recipients_header;
    if (completes() && !names_recipients && !undisclosed.empty()) {
        if (header_name_length(undisclosed) == 0) {
            warn(fmt::format("bad undisclosed_recipients_header header text \"{}\" -- need \"headername: headervalue\"",
                             undisclosed),
                 false);
        } else {
            put_line(undisclosed);
        }
    }
    in_headers_ = false;
    header_size_ = out_.size();
}

// header_from_format: "Full Name <user@domain>", or the old "user@domain (Full Name)".
void passage::add_from() {
    const std::string address = address::quote_822_local(envelope_.sender.empty() ? "MAILER-DAEMON" : envelope_.sender);
    std::string name = envelope_.sender.empty() ? "" : message_.full_name;
    std::replace_if(name.begin(), name.end(), [](char c) { return c == '\r' || c == '\n'; }, ' ');
    if (name.empty()) {
        add_header("From", address);
    } else if (options_.from_in_standard_format) {
        const bool needs_quotes = name.find_first_of("%!()<>@,;:\\\".[]") != std::string::npos;
        const address::token_list tokens = needs_quotes ? address::token_list{address::make_quoted_string(name)}
                                                        : address::scan(name, options_.token_limit);
        const std::string phrase = address::externalize(tokens);
        add_header("From", fmt::format("{}{}<{}>", phrase, phrase.empty() ? "" : " ", address));
    } else {
        add_header("From",
                   fmt::format("{} {}", address, address::externalize(address::parse_addresses("(" + name + ")"))));
    }
}

}  // namespace mta::cleanup
