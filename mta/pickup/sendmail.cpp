#include "mta/pickup/sendmail.hpp"

#include <fmt/format.h>

#include "mta/cleanup/cleanup.hpp"
#include "mta/text/strings.hpp"

namespace mta::pickup {

master::submission_result sendmail(master::mail_system& mail, master::submission message) {
    auto file = std::make_shared<queue::queue_file>();
    file->arrived = mail.now();
    file->id = mail.new_queue_id(file->arrived);
    file->sender = message.sender;
    file->uid = message.uid;
    file->where = queue::name::maildrop;
    for (std::string& each : message.recipients) {
        queue::recipient to;
        to.address = std::move(each);
        file->recipients.push_back(std::move(to));
    }
    file->content = std::make_shared<const std::string>(std::move(message.content));
    file->size = file->content->size();
    mail.host().queue_files().save(file);
    mail.maildrop_arrived(file);
    return {};
}

void pick_up(master::mail_system& mail, const queue::message& file) {
    const maillog::process& pickup = mail.process_of("pickup");
    cleanup::incoming message;
    queue::queue_file& envelope = message.envelope;
    envelope = *file;
    envelope.arrived = mail.now();
    envelope.id = mail.new_queue_id(envelope.arrived);
    envelope.from.local = true;
    mail.log(pickup, envelope.id, maillog::picked_up{file->uid, file->sender, file->original_id});
    message.content = fmt::format("Received: by {} ({}, from userid {})\n\tid {}; {}\n", mail.parameters().text("myhostname"),
                                  mail.parameters().text("mail_name"), file->uid, envelope.id,
                                  text::mail_date(mail.now(), mail.host().time_zone()));
    message.content += *file->content;
    mail.host().queue_files().remove(file->id);
    mail.cleanup().take(std::move(message), mail.process_of("cleanup"));
}

}  // namespace mta::pickup
