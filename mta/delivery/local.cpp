// local(8): delivery to the mailboxes of this host's users.
//
// A user of the host gets the message appended to an mbox file under mail_spool_directory, in a Maildir where the name ends
// in a slash, or in home_mailbox. Who is no user of the host is bounced (user unknown).
#include "mta/address/quote.hpp"
#include "mta/address/trivial_rewrite.hpp"
#include "mta/delivery/agents.hpp"
#include "mta/delivery/mailbox_text.hpp"
#include "mta/master/mail_system.hpp"
#include "mta/text/strings.hpp"

namespace mta::delivery {
namespace {

struct mailbox_place {
    std::string path;
    bool maildir = false;
};

mailbox_place place_for(const config::parameters& parameters, const account& user) {
    mailbox_place place;
    const std::string home_mailbox = parameters.text("home_mailbox");
    if (!home_mailbox.empty()) {
        place.path = user.home + "/" + home_mailbox;
    } else {
        std::string directory = parameters.text("mail_spool_directory");
        const bool slash = !directory.empty() && directory.back() == '/';
        place.path = directory + (slash ? "" : "/") + user.name + (slash ? "/" : "");
    }
    place.maildir = !place.path.empty() && place.path.back() == '/';
    return place;
}

queue::delivery_status store(master::mail_system& mail, const mailbox_place& place, const account& user, std::string_view text) {
    const append_result stored = place.maildir ? mail.host().store_in_maildir(place.path, user, text)
                                               : mail.host().append_to_mailbox(place.path, user, text);
    switch (stored) {
        case append_result::ok: return {"2.0.0", place.maildir ? "delivered to maildir" : "delivered to mailbox"};
        case append_result::over_quota:
            return {"5.2.2", "cannot update mailbox " + place.path + " for user " + user.name + ". error writing message: Disk quota exceeded"};
        case append_result::disk_full:
            return {"4.3.0", "cannot update mailbox " + place.path + " for user " + user.name + ". error writing message: No space left on device"};
        case append_result::no_permission: break;
    }
    return {"4.2.0", "cannot update mailbox " + place.path + " for user " + user.name + ". unable to open: Permission denied"};
}

}  // namespace

task<void> deliver_local(master::mail_system& mail, master::daemon& service, report& account) {
    const config::parameters& parameters = *service.parameters;
    for (const target& each : account.about().targets) {
        const auto parts = address::split_at_domain(each.address);
        std::string user_name(parts.local);
        auto user = mail.host().find_account(user_name);
        if (!user) {
            const auto stripped = address::strip_extension(parts.local, mail.rewrite().extensions());
            if (stripped) user = mail.host().find_account(user_name = stripped->address);
        }
        if (!user) user = mail.host().find_account(text::lowered(user_name));
        if (!user) {
            const queue::delivery_status unknown("5.1.1", "unknown user: \"" + text::lowered(user_name) + "\"");
            account.bounced(each, "local", unknown);
            continue;
        }
        mailbox_headers headers;
        headers.original_to = true;
        headers.delivered_to = text::lowered(each.address);
        const mailbox_place place = place_for(parameters, *user);
        const std::string text = mailbox_text(account.about(), each, headers, place.maildir ? mailbox_format::maildir : mailbox_format::mbox,
                                              mail.now(), mail.host().time_zone());
        account.settle(each, "local", store(mail, place, *user, text));
    }
    co_return;
}

}  // namespace mta::delivery
