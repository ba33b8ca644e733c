#include "mta/cleanup/header_options.hpp"

#include "mta/text/strings.hpp"

namespace mta::cleanup {
namespace {

struct row {
    std::string_view name;
    header_type type;
    int flags;
};

using enum header_type;
constexpr int recipients = header_recipient | header_extracted;
constexpr row known[] = {
    {"apparently-to", apparently_to, header_recipient},
    {"bcc", bcc, recipients},
    {"cc", cc, recipients},
    {"content-description", content_description, header_mime},
    {"content-disposition", content_disposition, header_mime},
    {"content-id", content_id, header_mime},
    {"content-length", content_length, 0},
    {"content-transfer-encoding", content_transfer_encoding, header_mime},
    {"content-type", content_type, header_mime},
    {"delivered-to", delivered_to, 0},
    {"disposition-notification-to", disposition_notification_to, header_sender},
    {"date", date, 0},
    {"errors-to", errors_to, header_sender},
    {"from", from, header_sender},
    {"mail-followup-to", mail_followup_to, header_sender},
    {"message-id", message_id, 0},
    {"mime-version", mime_version, header_mime},
    {"received", received, 0},
    {"reply-to", reply_to, header_sender},
    {"resent-bcc", resent_bcc, recipients | header_resent},
    {"resent-cc", resent_cc, recipients | header_resent},
    {"resent-date", resent_date, header_resent},
    {"resent-from", resent_from, header_sender | header_resent},
    {"resent-message-id", resent_message_id, header_resent},
    {"resent-reply-to", resent_reply_to, header_recipient | header_resent},
    {"resent-sender", resent_sender, header_sender | header_resent},
    {"resent-to", resent_to, recipients | header_resent},
    {"return-path", return_path, header_sender},
    {"return-receipt-to", return_receipt_to, header_sender},
    {"sender", header_type::sender, header_sender},
    {"to", to, recipients},
};

}  // namespace

header_table::header_table(std::span<const std::string> dropped_names) {
    for (const row& each : known) rows_[std::string(each.name)] = {each.type, static_cast<std::uint8_t>(each.flags)};
    for (const std::string& name : dropped_names) rows_[text::lowered(name)].flags |= header_dropped;
}

const header_options* header_table::find(std::string_view text) const {
    const auto name = text::trimmed_right(text.substr(0, text.find(':')));
    const auto found = rows_.find(text::lowered(name));
    return found == rows_.end() ? nullptr : &found->second;
}

std::size_t header_name_length(std::string_view line) {
    std::size_t length = 0;
    while (length < line.size() && line[length] > ' ' && line[length] < 0x7f && line[length] != ':') ++length;
    std::size_t colon = length;
    while (colon < line.size() && (line[colon] == ' ' || line[colon] == '\t')) ++colon;
    return length > 0 && colon < line.size() && line[colon] == ':' ? length : 0;
}

}  // namespace mta::cleanup
