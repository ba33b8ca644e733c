// What local(8) sends on: new messages to the addresses that aliases and forward files name (indirect.c, forward.c).
#include <fmt/format.h>

#include "mta/address/quote.hpp"
#include "mta/cleanup/cleanup.hpp"
#include "mta/delivery/local.hpp"
#include "mta/master/mail_system.hpp"
#include "mta/text/strings.hpp"

namespace mta::delivery {

// deliver_indirect
local_delivery::outcome local_delivery::send_on(const state& at) {
    if (!first_time("indirect " + text::lowered(at.who.address))) return outcome::done;
    if (account_.is_probe()) return account_for(at, {"2.0.0", "forwards to " + at.who.address});
    queue::recipient to;
    to.address = at.who.address;
    to.original = at.who.original;
    to.dsn_original = at.who.dsn_original;
    to.notify = at.who.notify;
    forwards_[{at.delivered, at.sender}].push_back(std::move(to));
    return outcome::done;
}

// forward_finish: what was gathered is queued, unless the recipient has to wait; then it is gathered again.
local_delivery::outcome local_delivery::finish_forwards(const state& at, outcome so_far) {
    outcome result = outcome::done;
    if (so_far == outcome::done) {
        for (auto& [key, recipients] : forwards_) {
            if (send_message(at, key.first, key.second, std::move(recipients)) == outcome::deferred)
                result = outcome::deferred;
        }
    }
    forwards_.clear();
    return result;
}

local_delivery::outcome local_delivery::send_message(const state& at, const std::string& delivered,
                                                     const std::string& sender,
                                                     std::vector<queue::recipient> recipients) {
    cleanup::incoming message;
    message.source = cleanup::source::internal;
    message.bounces = true;
    queue::queue_file& envelope = message.envelope;
    envelope.arrived = mail_.now();
    envelope.id = mail_.new_queue_id(envelope.arrived);
    envelope.sender = sender;
    envelope.from = file().from;
    envelope.encoding = file().encoding;
    envelope.smtputf8 = file().smtputf8;
    envelope.envelope_id = file().envelope_id;
    envelope.returns = file().returns;
    envelope.recipients = std::move(recipients);
    message.content = fmt::format("Received: by {} ({})\n\tid {}; {}\n", settings_.myhostname, settings_.mail_name,
                                  envelope.id, text::mail_date(mail_.now(), mail_.host().time_zone()));
    if (settings_.prepend_to_forward) message.content += fmt::format("Delivered-To: {}\n", text::lowered(delivered));
    message.content += *file().content;
    const std::string id = envelope.id;
    const cleanup::result queued = mail_.cleanup().take(std::move(message));
    if (queued.status != cleanup::status::ok) return account_for(at, {"4.3.0", "unable to forward message"});
    // The recipient's own wishes for a notice are with the new message now.
    state plain = at;
    plain.who.notify = static_cast<std::uint8_t>(at.who.notify & ~queue::notify_success);
    return account_for(plain, {"2.0.0", "forwarded as " + id}, "relayed");
}

}  // namespace mta::delivery
