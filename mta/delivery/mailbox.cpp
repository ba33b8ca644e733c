#include "mta/delivery/mailbox.hpp"

#include <fmt/format.h>

#include "mta/address/quote.hpp"
#include "mta/cleanup/message_headers.hpp"
#include "mta/text/strings.hpp"

namespace mta::delivery {
namespace {

// mail_copy(3): what cannot be written has a reason of sysexits(3) for the report.
queue::delivery_status not_written(const char* dsn, const char* why) {
    queue::delivery_status status(dsn, fmt::format("error writing message: {}", why));
    status.diagnostic_type = "x-unix";
    status.diagnostic = "input/output error";
    return status;
}

}  // namespace

queue::delivery_status store(Host& host, const mailbox& to, std::string_view content, unsigned mbox_flags,
                             const copy_addresses& about, const char* cannot_open) {
    const bool maildir = to.maildir();
    const unsigned flags = maildir ? mbox_flags & copy_maildir : mbox_flags;
    const std::string text = mail_copy(content, flags, about, host.now(), host.time_zone());
    const append_result stored = maildir ? host.store_in_maildir(to.path, to.owner, text)
                                         : host.append_to_mailbox(to.path, to.owner, text, to.size_limit);
    const std::string opening = maildir ? fmt::format("create maildir file {}tmp", to.path)
                                        : fmt::format("unable to create lock file {}.lock", to.path);
    switch (stored) {
        case append_result::ok:
            return {};
        case append_result::too_large:
            return not_written("5.2.2", "File too large");
        case append_result::over_quota:
            return not_written("5.2.2", "Disk quota exceeded");
        case append_result::disk_full:
            return not_written("4.2.2", "No space left on device");
        case append_result::no_directory:
            return {cannot_open, opening + ": No such file or directory"};
        case append_result::no_permission:
            break;
    }
    return {cannot_open, opening + ": Permission denied"};
}

bool was_delivered_to(std::string_view content, std::string_view address) {
    const std::string external = address::path_822(address);
    // The headers alone: the body may be large.
    const auto end = content.find("\n\n");
    const cleanup::message_headers headers(std::string(content.substr(0, end)));
    for (const std::string& each : headers.values("Delivered-To")) {
        const std::string_view value = text::trimmed(each);
        if (text::equal_ignoring_case(value, external) || text::equal_ignoring_case(value, address)) return true;
    }
    return false;
}

}  // namespace mta::delivery
