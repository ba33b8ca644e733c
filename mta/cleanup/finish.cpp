// The end of a message's way: last recipients, and then the queue, the hold queue, a bounce or nothing
// (cleanup_extracted.c, cleanup_api.c, cleanup_bounce.c).
#include <fmt/format.h>

#include <algorithm>

#include "mta/address/trivial_rewrite.hpp"
#include "mta/bounce/bouncer.hpp"
#include "mta/cleanup/passage.hpp"
#include "mta/master/mail_system.hpp"
#include "mta/qmgr/queue_manager.hpp"
#include "mta/text/strings.hpp"

namespace mta::cleanup {
namespace {

bool wants_filters(const incoming& message) {
    return message.source == source::internal ? message.filtered_notice : message.wanted.header_body_checks;
}

}  // namespace

bool is_beyond_ascii(std::string_view text) {
    bool beyond = false;
    for (std::size_t i = 0; i < text.size();) {
        const auto lead = static_cast<unsigned char>(text[i++]);
        if (lead < 0x80) continue;
        const int more = lead >= 0xc2 && lead < 0xe0   ? 1
                         : lead >= 0xe0 && lead < 0xf0 ? 2
                         : lead >= 0xf0 && lead < 0xf5 ? 3
                                                       : 0;
        if (more == 0) return false;
        for (int left = more; left > 0; --left, ++i) {
            if (i >= text.size() || (static_cast<unsigned char>(text[i]) & 0xc0) != 0x80) return false;
        }
        beyond = true;
    }
    return beyond;
}

passage::passage(master::mail_system& mail, const settings& options, const maillog::process& by, incoming& message)
    : mail_(mail),
      options_(options),
      by_(by),
      message_(message),
      envelope_(message.envelope),
      mapper_(options, mail.rewrite()),
      parser_(
          [&] {
              // No checks of content where none are wanted.
              mime_options mime = options.mime;
              if (!wants_filters(message)) {
                  mime.report_nesting = mime.report_eight_bit_header = mime.report_eight_bit_body =
                      mime.report_encoding_domain = false;
              }
              return mime;
          }(),
          options.headers, *this),
      filters_(wants_filters(message)),
      maps_(message.wanted.address_mappings),
      copies_(message.source == source::external && message.wanted.address_mappings),
      hold_(message.early.hold),
      lethal_(message.bounces ? bad | write | size | deferred : ~0u),
      redirect_(message.late.redirect.empty() ? message.early.redirect : message.late.redirect),
      filter_(!message.late.filter.empty()    ? message.late.filter
              : !message.early.filter.empty() ? message.early.filter
                                              : envelope_.content_filter) {
    if (envelope_.from.local) {
        rewrite_context_ = &options_.local_context;
    } else {
        rewrite_context_ = options_.remote_context.domain.empty() ? nullptr : &options_.remote_context;
    }
}

result passage::run() {
    envelope_.hop_count = 0;
    std::vector<queue::recipient> given = std::move(envelope_.recipients);
    const std::size_t first_extracted = std::min(message_.first_extracted, given.size());
    take_sender();
    for (std::size_t i = 0; i < first_extracted && going_on(); ++i) take_recipient(std::move(given[i]));
    // What access tables want discarded has had its envelope looked at: a lookup that failed there counts for more.
    if (going_on()) discard_ = message_.early.discard;
    envelope_.first_extracted = recipients_.size();
    if (going_on()) take_content();
    if (message_.cut_short) {
        break_off();
        return {};
    }
    take_late_actions();
    for (std::size_t i = first_extracted; i < given.size() && going_on(); ++i) take_recipient(std::move(given[i]));
    if (going_on()) take_extracted();
    finish();
    return outcome();
}

// Not the filter and the redirection: those of header and body checks count for more, even more than those of the end
// of data, so they are taken first.
void passage::take_late_actions() {
    const table_actions& late = message_.late;
    hold_ = hold_ || late.hold;
    if (errors_ == 0) discard_ = discard_ || late.discard;
}

void passage::take_extracted() {
    if (copies_ && has_recipient_ && !options_.always_bcc.empty()) add_copy(options_.always_bcc);
    if (has_recipient_) {
        for (std::size_t i = 0; i < copies_by_checks_.size() && going_on(); ++i) add_copy(copies_by_checks_[i]);
    }
    if (!has_recipient_) fail(no_recipients);
    check_size();
}

void passage::finish() {
    if (discard_) {
        errors_ = 0;
        return;
    }
    if (message_.detects_utf8) envelope_.smtputf8 = utf8_ && options_.smtputf8;
    if (errors_ != 0 && can_bounce()) {
        bounce();
        return;
    }
    if (errors_ == 0) queue_it();
    if ((errors_ & size) != 0) warn("mail_stream_cleanup: close error", false);
}

bool passage::can_bounce() const {
    constexpr unsigned never = bad | write | deferred | no_recipients;
    return message_.bounces && (errors_ & never) == 0;
}

// With soft_bounce nothing is returned from here: the message stays where it came from.
void passage::bounce() {
    if (options_.soft_bounce) {
        errors_ |= write;
        return;
    }
    std::string_view text = reason_;
    const std::string own_status = take_status(text);
    const result plain = outcome();
    queue::delivery_status status;
    if (reason_.empty()) {
        const std::string reply = plain.smtp_reply();
        status.dsn = reply.substr(4, 5);
        status.text = plain.description();
    } else {
        status.dsn = own_status.empty() ? "5.0.0" : own_status;
        status.text = text;
    }
    envelope_.content = std::make_shared<const std::string>(std::move(out_));
    envelope_.header_size = in_headers_ ? envelope_.content->size() : header_size_;
    envelope_.size = envelope_.content->size();
    if ((errors_ & (rejected | size)) != 0) envelope_.returns = queue::return_content::headers;
    if (recipients_.empty()) {
        queue::recipient unknown;
        unknown.address = "unknown";
        recipients_.push_back(std::move(unknown));
    }
    for (const queue::recipient& each : recipients_) {
        log_outcome(each.address, each.original, "bounced", status);
        queue::notice_entry entry;
        entry.address = each.address;
        if (!text::equal_ignoring_case(each.original, each.address)) entry.original = each.original;
        entry.dsn_original = each.dsn_original;
        entry.notify = each.notify;
        entry.action = "failed";
        entry.status = status;
        envelope_.bounces.push_back(std::move(entry));
    }
    // What is in the queue file ends in the middle of a record.
    if ((errors_ & size) != 0)
        warn(fmt::format("incoming/{}: unexpected EOF in data, record type 78 length {}", envelope_.id,
                         cut_record_length_),
             false);
    envelope_.traces.clear();
    const bool told = mail_.bounce().send_notices(envelope_);
    if (!told) warn("bounce message failure");
    errors_ = 0;
    if (!told) fail(write);
}

void passage::queue_it() {
    if (!redirect_.empty()) envelope_.redirect = mail_.rewrite().rewrite(redirect_, true);
    envelope_.recipients = std::move(recipients_);
    envelope_.content_filter = filter_;
    envelope_.header_size = header_size_;
    envelope_.size = out_.size();
    out_.shrink_to_fit();  // it is kept for as long as the message waits
    envelope_.content = std::make_shared<const std::string>(std::move(out_));
    envelope_.where = hold_ ? queue::name::hold : queue::name::incoming;
    if (options_.delay_warning_time.count() > 0 && !envelope_.sender.empty()) {
        envelope_.warn_after = envelope_.arrived + options_.delay_warning_time;
    }
    const auto file = std::make_shared<queue::queue_file>(std::move(envelope_));
    mail_.host().queue_files().save(file);
    if (!hold_) mail_.queue_manager().arrived(file);
}

result passage::outcome() const {
    struct row {
        error_flag flag;
        cleanup::status status;
    };
    static constexpr row rows[] = {
        {deferred, status::deferred},  {bad, status::bad},      {no_recipients, status::no_recipients},
        {hops, status::too_many_hops}, {size, status::too_big}, {rejected, status::rejected},
        {write, status::write_error}};
    for (const row& each : rows) {
        if (errors_ & each.flag) return {each.status, reason_};
    }
    return {};
}

void passage::warn(std::string text, bool of_message) {
    mail_.warn(by_, std::move(text), of_message ? std::string_view(envelope_.id) : std::string_view());
}

maillog::peer passage::client() const {
    const queue::origin& from = envelope_.from;
    if (from.protocol.empty()) return {"local", {}};
    return {from.client_name, from.client_address, from.shown_port};
}

std::string passage::log_context() const {
    std::string out = fmt::format("from=<{}>", mail_.as_logged(envelope_.sender));
    if (has_recipient_) out += fmt::format(" to=<{}>", mail_.as_logged(last_recipient_));
    const queue::origin& from = envelope_.from;
    if (!from.protocol.empty()) out += " proto=" + from.protocol;
    if (!from.protocol.empty() && !from.helo.empty()) out += fmt::format(" helo=<{}>", from.helo);
    return out;
}

}  // namespace mta::cleanup
