#include "mta/smtpd/access.hpp"

#include <fmt/format.h>

#include <set>

#include "mta/address/trivial_rewrite.hpp"
#include "mta/master/mail_system.hpp"
#include "mta/smtpd/access_evaluation.hpp"
#include "mta/smtpd/access_settings.hpp"
#include "mta/text/dates.hpp"
#include "mta/text/strings.hpp"

namespace mta::smtpd {
namespace {

// As the log calls the stages.
constexpr std::string_view stage_names[] = {"CONNECT", "HELO",           "MAIL", "RCPT",
                                            "DATA",    "END-OF-MESSAGE", "ETRN", "VRFY"};

}  // namespace

access::access(master::mail_system& mail, master::daemon& service)
    : mail_(mail), settings_(std::make_unique<access_settings>(mail, *service.parameters)) {}

access::~access() = default;

const std::string& access::fatal() const {
    return settings_->fatal;
}

// A table that several lists name is opened once.
void access::introduce(const std::vector<table::diagnostic>& before, const maillog::process& by) {
    if (!settings_->process(by.pid).said_once.emplace("introduction").second) return;
    std::set<std::string_view> said;
    for (const std::vector<table::diagnostic>* some :
         {&before, static_cast<const std::vector<table::diagnostic>*>(&settings_->greetings)}) {
        for (const table::diagnostic& each : *some) {
            if (said.insert(each.text).second) mail_.log(by, each);
        }
    }
}

std::shared_ptr<const address::resolved> access::resolve(std::string_view sender, std::string_view recipient,
                                                         const maillog::process& by) {
    return ask_rewrite(mail_, *settings_, sender, recipient, by);
}

task<decision> access::check(stage at, const access_facts& facts, const maillog::process& by) {
    access_memory own;
    access_memory& memory = facts.memory ? *facts.memory : own;
    const bool named = !facts.command.empty() && at != stage::end_of_data;
    const std::string_view stage_name =
        !named ? stage_names[static_cast<std::size_t>(at)] : std::string_view(facts.command);
    if (facts.memory) memory.sender_is_checked = settings_->process(by.pid).sender_is_checked;
    evaluation run(mail_, *settings_, facts, memory, by, stage_name);
    const bool at_once = !settings_->delay_reject;
    verdict got = verdict::dunno;
    switch (at) {
        case stage::connect:
            if (at_once) got = co_await run.client();
            break;
        case stage::helo:
            if (at_once) got = co_await run.helo();
            break;
        case stage::mail:
            if (at_once) got = co_await run.sender();
            break;
        case stage::rcpt:
            // Postfix's own address is always taken, whoever asks.
            if (facts.recipient && text::equal_ignoring_case(*facts.recipient, settings_->double_bounce_address)) break;
            [[fallthrough]];
        case stage::vrfy:
            got = co_await run.recipient();
            break;
        case stage::data:
            got = co_await run.whole_message(list_name::data, "DATA", reply_class::data);
            break;
        case stage::end_of_data:
            got = co_await run.whole_message(list_name::end_of_data, "END-OF-MESSAGE", reply_class::end_of_data);
            break;
        case stage::etrn:
            got = co_await run.etrn();
            break;
    }
    if (facts.memory) settings_->process(by.pid).sender_is_checked = memory.sender_is_checked;
    decision made;
    made.hang_up = run.hangs_up();
    made.process_dies = run.process_dies();
    if (got == verdict::reject || made.process_dies) {
        made.what = decision::outcome::refuse;
        made.reply = run.reply();
        made.cause = run.cause();
    } else if (got == verdict::permit) {
        made.what = decision::outcome::permit;
    }
    co_return made;
}

std::string access::with_footer(std::string reply, const access_facts& facts, const maillog::process& by) {
    const access_settings& s = *settings_;
    if (reply.empty() || (reply[0] != '4' && reply[0] != '5') || (s.reject_footer.empty() && s.reject_footers.empty()))
        return reply;
    std::string footer = s.reject_footer;
    if (!s.reject_footers.empty()) {
        const table::match found = s.reject_footers.find(reply);
        for (const std::string& each : found.result.warnings) mail_.warn(by, each);
        if (found.found()) footer = found.result.value;
    }
    if (footer.empty()) return reply;
    const reply_lookup find = [&](std::string_view name) -> std::optional<std::string> {
        if (name != "localtime") return evaluation::reply_value(name, facts, s);
        // "Nov 20 21:08:12" of syslog's stamp.
        std::string stamp;
        text::append_syslog_stamp(stamp, mail_.now(), mail_.host().time_zone());
        return stamp;
    };
    const expansion text = expand_reply(footer, find, s.expansion_filter);
    for (const std::string& each : text.unknown)
        mail_.warn(by, fmt::format("unknown macro name \"{}\" in expansion request", each));
    if (text.bad) return reply;
    return add_footer(reply, text.text);
}

}  // namespace mta::smtpd
