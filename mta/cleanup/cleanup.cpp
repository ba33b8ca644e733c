#include "mta/cleanup/cleanup.hpp"

#include <fmt/format.h>

#include "mta/address/quote.hpp"
#include "mta/address/trivial_rewrite.hpp"
#include "mta/cleanup/message_headers.hpp"
#include "mta/config/parameters.hpp"
#include "mta/master/mail_system.hpp"
#include "mta/qmgr/queue_manager.hpp"
#include "mta/text/strings.hpp"

namespace mta::cleanup {
namespace {

struct outcome {
    const char* dsn;
    int code;
    const char* text;
};
// cleanup_strerror(3), by status.
constexpr outcome outcomes[] = {
    {"2.0.0", 250, "Success"},
    {"5.3.4", 552, "message file too big"},
    {"5.7.1", 550, "message content rejected"},
    {"5.4.0", 554, "too many hops"},
    {"5.1.0", 550, "no recipients specified"},
    {"4.7.1", 451, "service unavailable"},
    {"5.3.0", 554, "internal protocol error"},
    {"4.3.0", 451, "queue file write error"},
};

result failure(status which) {
    const outcome& row = outcomes[static_cast<std::size_t>(which)];
    return {which, row.dsn, row.text};
}

}  // namespace

struct cleaner::settings {
    std::int64_t message_size_limit;
    int hopcount_limit;
    bool always_add_missing_headers;
    std::string undisclosed_recipients_header, myhostname, delay_warning_recipients;
    duration delay_warning_time;
    std::vector<std::string> drop_headers;

    explicit settings(const config::parameters& p)
        : message_size_limit(p.number("message_size_limit")),
          hopcount_limit(static_cast<int>(p.number("hopcount_limit"))),
          always_add_missing_headers(p.flag("always_add_missing_headers")),
          undisclosed_recipients_header(p.text("undisclosed_recipients_header")),
          myhostname(p.text("myhostname")),
          delay_warning_time(p.duration("delay_warning_time")),
          drop_headers(p.words("message_drop_headers")) {}
};

cleaner::cleaner(master::mail_system& mail)
    : mail_(mail), settings_(std::make_unique<const settings>(mail.parameters())) {}
cleaner::~cleaner() = default;

std::string result::smtp_reply() const {
    const outcome& row = outcomes[static_cast<std::size_t>(status)];
    return fmt::format("{} {} {}", row.code, dsn.empty() ? row.dsn : dsn, text.empty() ? row.text : text);
}

result cleaner::take(incoming message, const maillog::process& by) {
    queue::queue_file& envelope = message.envelope;
    if (settings_->message_size_limit > 0 && static_cast<std::int64_t>(message.content.size()) > settings_->message_size_limit) {
        return failure(status::too_big);
    }
    message_headers headers(std::move(message.content));
    for (const std::string& name : settings_->drop_headers) headers.drop_all(name);
    const header* id = headers.find("Message-Id");
    const bool complete = envelope.from.local || settings_->always_add_missing_headers;
    std::string message_id = id ? std::string(text::trimmed(id->value(headers.text()))) : "";
    if (message_id.empty() && complete) {
        message_id = fmt::format("<{}.{}@{}>", text::compact_stamp(mail_.now()), envelope.id, settings_->myhostname);
        if (id) headers.drop(*id);
        headers.append("Message-Id", message_id);
    }
    mail_.log(by, envelope.id, maillog::message_id_seen{message_id.empty() ? "<>" : std::string_view(message_id), false});
    if (complete) {
        if (!headers.find("Date")) headers.append("Date", text::mail_date(mail_.now(), mail_.host().time_zone()));
        if (!headers.find("From")) {
            headers.append("From", envelope.sender.empty() ? fmt::format("MAILER-DAEMON ({})", "Mail Delivery System")
                                                           : address::quote_822_local(envelope.sender));
        }
    }
    envelope.hop_count = headers.count("Received");
    if (message.source == source::external && envelope.hop_count >= settings_->hopcount_limit) {
        mail_.warn(by, "message rejected: hopcount exceeded", envelope.id);
        return failure(status::too_many_hops);
    }
    if (envelope.recipients.empty()) return failure(status::no_recipients);

    for (queue::recipient& each : envelope.recipients) {
        if (each.original.empty()) each.original = each.address;
        each.address = mail_.rewrite().rewrite(each.address, envelope.from.local);
        if (each.dsn_original.empty()) each.dsn_original = "rfc822;" + address::xtext_encode(each.address, "+=");
    }
    if (!envelope.sender.empty()) envelope.sender = mail_.rewrite().rewrite(envelope.sender, envelope.from.local);
    const auto whole = headers.finish();
    envelope.header_size = whole.header_size;
    envelope.size = whole.text.size();
    envelope.content = std::make_shared<const std::string>(std::move(whole.text));
    envelope.where = queue::name::incoming;
    if (settings_->delay_warning_time.count() > 0) envelope.warn_after = envelope.arrived + settings_->delay_warning_time;
    const auto file = std::make_shared<queue::queue_file>(std::move(envelope));
    mail_.host().queue_files().save(file);
    mail_.queue_manager().arrived(file);
    return {};
}

}  // namespace mta::cleanup
