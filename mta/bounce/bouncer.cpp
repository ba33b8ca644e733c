#include "mta/bounce/bouncer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>
#include <utility>

#include "mta/cleanup/cleanup.hpp"
#include "mta/config/parameters.hpp"
#include "mta/master/mail_system.hpp"
#include "mta/queue/verp.hpp"
#include "mta/text/strings.hpp"

namespace mta::bounce {
namespace {

// Whether the sender wants to hear of this: NOTIFY says so, or says nothing and it is the default.
bool wants(const queue::notice_entry& entry, unsigned event) {
    return entry.notify == 0 || (entry.notify & event) != 0;
}

// As the defer log has them: in the order of their last deferrals.
std::vector<queue::recipient*> open_recipients(queue::queue_file& file) {
    std::vector<queue::recipient*> open;
    for (queue::recipient& each : file.recipients) {
        if (!each.done) open.push_back(&each);
    }
    std::sort(open.begin(), open.end(), [](const queue::recipient* a, const queue::recipient* b) {
        return std::tie(a->put_off_as, a) < std::tie(b->put_off_as, b);
    });
    return open;
}

queue::notice_entry entry_of(const queue::recipient& who, std::string action) {
    queue::notice_entry entry;
    entry.address = who.address;
    if (!text::equal_ignoring_case(who.original, who.address)) entry.original = who.original;
    entry.dsn_original = who.dsn_original;
    entry.notify = who.notify;
    entry.action = std::move(action);
    if (who.delay) entry.status = *who.delay;
    return entry;
}

}  // namespace

struct bouncer::settings {
    std::string myhostname, mail_name, double_bounce, bounce_recipient, double_bounce_recipient, delay_recipient;
    std::int64_t size_limit, message_limit;
    duration queue_lifetime;
    bool long_queue_ids, copies_bounces = false, copies_delays = false, reports_double_bounces = false;
    bool filtered, verp, utf8;
    notice_templates templates = notice_templates::built_in();

    explicit settings(const config::parameters& p)
        : myhostname(p.text("myhostname")),
          mail_name(p.text("mail_name")),
          double_bounce(p.text("double_bounce_sender") + "@" + myhostname),
          bounce_recipient(p.text("bounce_notice_recipient")),
          double_bounce_recipient(p.text("2bounce_notice_recipient")),
          delay_recipient(p.text("delay_notice_recipient")),
          size_limit(p.number("bounce_size_limit")),
          message_limit(p.number("message_size_limit")),
          queue_lifetime(p.duration("maximal_queue_lifetime")),
          long_queue_ids(p.flag("enable_long_queue_ids")),
          filtered(cleanup::filters_notices(p, "bounce")),
          verp(!p.flag("disable_verp_bounces")),
          utf8(p.flag("smtputf8_enable")) {
        for (const std::string& each : p.words("notify_classes")) {
            if (text::equal_ignoring_case(each, "bounce")) copies_bounces = true;
            if (text::equal_ignoring_case(each, "2bounce")) reports_double_bounces = true;
            if (text::equal_ignoring_case(each, "delay")) copies_delays = true;
        }
    }
};

bouncer::bouncer(master::mail_system& mail) : mail_(mail) {
    auto made = std::make_unique<settings>(mail.parameters());
    const std::string file = mail.parameters().text("bounce_template_file");
    if (!file.empty()) {
        std::vector<std::string> warnings;
        const auto text = mail.host().read_file(file);
        try {
            if (!text) throw config::fatal({}, fmt::format("open {}: No such file or directory", file));
            made->templates.read(*text, file, warnings);
        } catch (const config::fatal& e) {
            complain(e);
        }
        for (std::string& each : warnings) mail.warn(mail.process_of("bounce"), std::move(each));
    }
    settings_ = std::move(made);
}
bouncer::~bouncer() = default;

void bouncer::complain(const config::fatal& why) const {
    const master::daemon* service = mail_.transport("bounce");
    if (service) mail_.daemon_failed(*service, mail_.process_of("bounce"), why);
}

// A template whose names mean nothing ends the process that uses it, and the message waits for a better one.
template <typename Work>
bool bouncer::unless_fatal(Work work) {
    try {
        return work();
    } catch (const config::fatal& e) {
        const maillog::process& by = mail_.process_of("bounce");
        mail_.log(by, {}, maillog::remark{maillog::level::fatal, e.what()});
        if (const master::daemon* service = mail_.transport("bounce")) mail_.daemon_ended(*service, by, false);
        return false;
    }
}

report bouncer::begin(const queue::queue_file& about, template_kind kind, bool to_postmaster) const {
    std::vector<std::string> warnings;
    const notice_template& words = settings_->templates.of(kind, warnings);
    for (std::string& each : warnings) mail_.warn(mail_.process_of("bounce"), std::move(each));
    warnings.clear();
    report what;
    what.about = &about;
    what.now = mail_.now();
    what.zone = mail_.host().time_zone();
    what.myhostname = settings_->myhostname;
    what.mail_name = settings_->mail_name;
    what.from = words.from;
    if (what.from.empty()) {
        what.from = mail_.parameters().text("header_from_format") == "obsolete"
                        ? "MAILER-DAEMON (Mail Delivery System)"
                        : "Mail Delivery System <MAILER-DAEMON>";
    }
    what.utf8 = settings_->utf8;
    what.charset = words.charset;
    what.subject = to_postmaster ? words.postmaster_subject : words.subject;
    what.generated = to_postmaster;
    if (to_postmaster) return what;
    constexpr std::string_view names[] = {"failure", "delay", "success", "verify"};
    const std::string_view named = names[static_cast<std::size_t>(kind)];
    what.letter = expand_body(words, named, mail_.parameters(), warnings);
    for (std::string& each : warnings) mail_.warn(mail_.process_of("bounce"), std::move(each));
    return what;
}

bool bouncer::send_notices(queue::queue_file& file) {
    const bool told = send_failures(file);
    if (file.trace == queue::tracing::verification) return told;
    std::vector<queue::notice_entry> traces;
    traces.swap(file.traces);
    const bool on_request = std::exchange(file.trace, queue::tracing::none) != queue::tracing::none;
    if (nobody_to_trace_for(file, on_request || !traces.empty()) || traces.empty()) return told;
    unless_fatal([&] {
        report what = begin(file, on_request ? template_kind::verify : template_kind::success, false);
        what.entries = std::move(traces);
        what.what = returned::headers;
        what.returned_name = "Message";
        return to_sender(std::move(what), "sender delivery status");
    });
    return told;
}

bool bouncer::send_failures(queue::queue_file& file) {
    if (file.bounces.empty()) return true;
    std::vector<queue::notice_entry> failures;
    failures.swap(file.bounces);
    const bool told = unless_fatal([&] { return return_failures(file, failures); });
    if (!told) file.bounces = std::move(failures);
    return told;
}

// bounce_trace_service: looks for what there is to tell where success was asked for, and where it is `known`
// that there is something, as sendmail -v or an alias that was expanded said so.
bool bouncer::nobody_to_trace_for(const queue::queue_file& file, bool known) const {
    const bool single = file.sender.empty();
    if (!single && !text::equal_ignoring_case(file.sender, settings_->double_bounce)) return false;
    const bool asked = known || std::any_of(file.recipients.begin(), file.recipients.end(), [](const auto& each) {
                           return (each.notify & queue::notify_success) != 0;
                       });
    if (!asked) return true;
    const std::string words =
        fmt::format("not sending trace/success notification for {}-bounce message", single ? "single" : "double");
    mail_.log(mail_.process_of("bounce"), file.id, maillog::remark{maillog::level::info, words});
    return true;
}

bool bouncer::discarded_as_double_bounce(const queue::queue_file& about) const {
    if (!text::equal_ignoring_case(about.sender, settings_->double_bounce)) return false;
    mail_.warn(mail_.process_of("bounce"), "undeliverable postmaster notification discarded", about.id);
    return true;
}

bool bouncer::return_failures(const queue::queue_file& about, const std::vector<queue::notice_entry>& entries) {
    const bool too_big = settings_->size_limit > 0 && static_cast<std::int64_t>(about.size) > settings_->size_limit;
    if (discarded_as_double_bounce(about)) return true;
    if (about.sender.empty()) {
        if (!settings_->reports_double_bounces && !settings_->copies_bounces) return true;
        report what = begin(about, template_kind::failure, true);
        what.entries = entries;
        what.what = too_big ? returned::headers : returned::whole;
        return to_postmaster(std::move(what), settings_->double_bounce_recipient, "postmaster non-delivery");
    }
    const returned original =
        about.returns == queue::return_content::headers || too_big ? returned::headers : returned::whole;
    if (settings_->verp && queue::is_verp(about)) return return_each(about, entries, original);
    report what = begin(about, template_kind::failure, false);
    std::copy_if(entries.begin(), entries.end(), std::back_inserter(what.entries),
                 [](const auto& each) { return wants(each, queue::notify_failure); });
    what.what = original;
    const bool told = to_sender(std::move(what), "sender non-delivery");
    return told && copy_failures(about, entries);
}

bool bouncer::copy_failures(const queue::queue_file& about, const std::vector<queue::notice_entry>& entries) {
    if (!settings_->copies_bounces) return true;
    report copy = begin(about, template_kind::failure, true);
    copy.entries = entries;
    copy.what = returned::headers;
    return to_postmaster(std::move(copy), settings_->bounce_recipient, "postmaster non-delivery");
}

// bounce_notify_verp: a letter for each recipient, to the sender that names it.
bool bouncer::return_each(const queue::queue_file& about, const std::vector<queue::notice_entry>& entries,
                          returned original) {
    for (const queue::notice_entry& each : entries) {
        if (wants(each, queue::notify_failure)) {
            report what = begin(about, template_kind::failure, false);
            what.entries = {each};
            what.what = original;
            what.to = queue::verp_sender(about, each.original, each.address);
            const bool told = send(std::move(what), {}, "sender non-delivery");
            if (!told) return false;
        }
        if (!copy_failures(about, {each})) return false;
    }
    return true;
}

bool bouncer::return_expired(queue::queue_file& file) {
    for (queue::recipient* each : open_recipients(file)) {
        file.bounces.push_back(entry_of(*each, "failed"));
        each->done = true;
    }
    return send_failures(file);
}

void bouncer::warn_of_delay(queue::queue_file& file) {
    if (file.sender.empty() || discarded_as_double_bounce(file)) return;
    std::vector<queue::notice_entry> entries;
    for (const queue::recipient* each : open_recipients(file)) entries.push_back(entry_of(*each, "delayed"));
    const auto fill = [&](report& what) {
        what.what = returned::headers;
        what.retried_until = file.arrived + settings_->queue_lifetime;
    };
    unless_fatal([&] {
        report what = begin(file, template_kind::delay, false);
        std::copy_if(entries.begin(), entries.end(), std::back_inserter(what.entries),
                     [](const auto& each) { return wants(each, queue::notify_delay); });
        fill(what);
        return to_sender(std::move(what), "sender delay");
    });
    if (!settings_->copies_delays) return;
    report copy = begin(file, template_kind::delay, true);
    copy.entries = std::move(entries);
    fill(copy);
    to_postmaster(std::move(copy), settings_->delay_recipient, "postmaster delay");
}

bool bouncer::to_sender(report what, std::string_view kind) {
    what.to = what.about->sender;
    return send(std::move(what), {}, kind);
}

bool bouncer::to_postmaster(report what, std::string_view recipient, std::string_view kind) {
    what.to = recipient;
    return send(std::move(what), settings_->double_bounce, kind);
}

bool bouncer::send(report what, std::string sender, std::string_view log_kind) {
    cleanup::incoming message;
    message.source = cleanup::source::internal;
    message.filtered_notice = settings_->filtered;
    queue::queue_file& envelope = message.envelope;
    envelope.arrived = mail_.now();
    envelope.id = mail_.new_queue_id(envelope.arrived);
    envelope.sender = std::move(sender);
    envelope.smtputf8 = what.about->smtputf8;
    queue::recipient to;
    to.address = what.to;
    envelope.recipients.push_back(to);
    what.id = envelope.id;
    if (what.entries.empty()) {
        // Nobody wants to be told: Postfix finds that out once the letter is begun, and drops it. No message comes of
        // it, only a line of the log.
        say_message_id(what.id);
        return true;
    }
    message.content = compose(what);
    const std::string id = what.id;
    if (settings_->message_limit > 0 && message.content.size() > static_cast<std::size_t>(settings_->message_limit)) {
        say_too_large(id);
        return false;
    }
    const cleanup::result taken = mail_.cleanup().take(std::move(message));
    if (taken.status != cleanup::status::ok) return false;
    mail_.log(mail_.process_of("bounce"), what.about->id, maillog::notification{log_kind, id});
    return true;
}

// What cleanup(8) says first of every letter.
void bouncer::say_message_id(const std::string& id) const {
    const std::string stamp = settings_->long_queue_ids ? "" : text::compact_stamp(mail_.now()) + ".";
    const std::string told = fmt::format("message-id=<{}{}@{}>", stamp, id, settings_->myhostname);
    mail_.log(mail_.process_of("cleanup"), id, maillog::remark{maillog::level::info, told});
}

void bouncer::say_too_large(const std::string& id) const {
    say_message_id(id);
    mail_.warn(mail_.process_of("cleanup"), id + ": queue file size limit exceeded");
    mail_.warn(mail_.process_of("cleanup"), "mail_stream_cleanup: close error");
}

}  // namespace mta::bounce
