#include "mta/smtpd/access_evaluation.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "mta/address/quote.hpp"
#include "mta/address/smtp_command.hpp"
#include "mta/text/strings.hpp"

namespace mta::smtpd {
namespace {

constexpr int deepest_list = 100;  // classes in classes, tables in tables
constexpr std::string_view unusable_reply = "450 4.7.1 Service unavailable";

bool all_digits(std::string_view text) {
    return !text.empty() && std::all_of(text.begin(), text.end(), text::is_digit);
}

}  // namespace

evaluation::evaluation(master::mail_system& mail, access_settings& settings, const access_facts& facts,
                       access_memory& memory, const maillog::process& by, std::string_view stage_name)
    : mail_(mail),
      settings_(settings),
      facts_(facts),
      memory_(memory),
      by_(by),
      stage_name_(stage_name),
      sender_(facts.sender),
      recipient_(facts.recipient) {}

// -- the stages -------------------------------------------------------------------------------------------------------

subject evaluation::client_subject() const {
    return {facts_.client->name_and_address(), reply_class::client, "check_client_access"};
}

// What an earlier list left in doubt stays in doubt; what it wanted to make of a refusal is forgotten.
void evaluation::start_stage(bool permit_is_maybe) {
    warn_only_at_ = 0;
    memory_.if_reject.active = false;
    memory_.if_permit.active = permit_is_maybe;
}

task<verdict> evaluation::client() {
    start_stage(false);
    const subject about = client_subject();
    const list_frame frame{parameter_of(list_name::client), settings_.list(list_name::client), about};
    const verdict got = co_await run(frame);
    memory_.permit_is_maybe_for_client = memory_.if_permit.active;
    co_return got;
}

task<verdict> evaluation::helo() {
    if (facts_.helo.empty()) co_return verdict::dunno;
    start_stage(memory_.permit_is_maybe_for_client);
    const subject about{facts_.helo, reply_class::helo, "check_helo_access"};
    const list_frame frame{parameter_of(list_name::helo), settings_.list(list_name::helo), about};
    const verdict got = co_await run(frame);
    memory_.permit_is_maybe_for_helo = memory_.if_permit.active;
    co_return got;
}

task<verdict> evaluation::sender() {
    if (!sender_) co_return verdict::dunno;
    // Who has not said HELO has only the doubts about the client.
    start_stage(memory_.permit_is_maybe_for_client || memory_.permit_is_maybe_for_helo);
    memory_.sender_is_checked = false;
    const subject about{*sender_, reply_class::sender, "check_sender_access"};
    const list_frame frame{parameter_of(list_name::sender), settings_.list(list_name::sender), about};
    verdict got = co_await run(frame);
    memory_.permit_is_maybe_for_sender = memory_.if_permit.active;
    if (settings_.reject_unlisted_sender && got != verdict::reject && !memory_.effects.discard && !sender_->empty()) {
        got = imply("smtpd_reject_unlisted_sender", "reject_unlisted_sender", about);
    }
    co_return got;
}

// Client, HELO and sender come first when they were put off (smtpd_delay_reject).
task<verdict> evaluation::recipient() {
    if (!recipient_) co_return verdict::dunno;
    // RFC 5321, 4.5.1: a postmaster without a domain is ours, whatever the restrictions.
    if (text::equal_ignoring_case(*recipient_, "postmaster")) co_return verdict::dunno;
    memory_.recipient_is_checked = false;
    if (settings_.delay_reject) {
        verdict early = co_await client();
        if (early != verdict::reject) early = co_await helo();
        if (early != verdict::reject) early = co_await sender();
        if (early == verdict::reject) co_return early;
    }
    const list_name first = settings_.relay_before_recipient ? list_name::relay : list_name::recipient;
    const list_name second = settings_.relay_before_recipient ? list_name::recipient : list_name::relay;
    const subject about{*recipient_, reply_class::recipient, "check_recipient_access"};
    start_stage(memory_.permit_is_maybe_for_sender);
    verdict got = verdict::dunno;
    for (const list_name which : {first, second}) {
        warn_only_at_ = 0;
        const list_frame frame{parameter_of(which), settings_.list(which), about};
        got = co_await run(frame);
        if (got == verdict::reject) co_return got;
    }
    got = force_deferral(got);
    if (settings_.reject_unlisted_recipient && got != verdict::reject && !memory_.effects.discard) {
        got = imply("smtpd_reject_unlisted_recipient", "reject_unlisted_recipient", about);
    }
    co_return got;
}

task<verdict> evaluation::etrn() {
    if (settings_.delay_reject) {
        verdict early = co_await client();
        if (early != verdict::reject) early = co_await helo();
        if (early == verdict::reject) co_return early;
    }
    start_stage(memory_.permit_is_maybe_for_client || memory_.permit_is_maybe_for_helo);
    const subject about{facts_.etrn_domain, reply_class::etrn, "check_etrn_access"};
    const list_frame frame{parameter_of(list_name::etrn), settings_.list(list_name::etrn), about};
    const verdict got = co_await run(frame);
    co_return force_deferral(got);
}

// DATA and the end of data: about all recipients alike, so with several of them none is named.
task<verdict> evaluation::whole_message(list_name which, std::string name, reply_class about_what) {
    if (facts_.recipient_count > 1) recipient_.reset();
    start_stage(false);
    const subject about{std::move(name), about_what, {}};
    const list_frame frame{parameter_of(which), settings_.list(which), about};
    const verdict got = co_await run(frame);
    co_return force_deferral(got);
}

// What a parameter of its own asks for after the lists.
verdict evaluation::imply(std::string_view parameter, std::string_view name, const subject& about) {
    const bool done = about.about == reply_class::sender ? memory_.sender_is_checked : memory_.recipient_is_checked;
    said_ = {};
    const std::size_t mark = facts_.trail ? facts_.trail->size() : 0;
    const restriction* implied = find_restriction(name);
    const verdict got = (this->*implied->at_once)({*implied, {}, about});
    if (!done) note(parameter, about, name, {}, mark, got);
    return got;
}

// A permission that is in doubt is none: the earlier trouble is reported instead.
verdict evaluation::force_deferral(verdict so_far) {
    if (so_far == verdict::reject || !memory_.if_permit.active) return so_far;
    const deferral why = memory_.if_permit;
    return refuse(refusal_cause::policy, why.code, why.dsn, why.reason);
}

// -- walking a list ---------------------------------------------------------------------------------------------------

bool evaluation::argument_fits(const restriction& what, const std::vector<std::string>& words, std::size_t at) const {
    const bool there = at < words.size();
    switch (what.argument) {
        case argument_kind::none:
            return true;
        case argument_kind::domain:
            return there;
        case argument_kind::number:
            return there && all_digits(words[at]);
        case argument_kind::table:
        case argument_kind::service:
            return there && words[at].find(':') != std::string::npos;
    }
    return false;
}

task<verdict> evaluation::run(list_frame frame) {
    if (depth_ >= deepest_list) {
        warn(fmt::format("restriction class {} is nested more than {} deep", frame.name, deepest_list));
        co_return configuration_error();
    }
    ++depth_;
    verdict got = verdict::dunno;
    for (std::size_t i = 0; i < frame.words.size(); ++i) {
        if (memory_.effects.discard) break;
        std::string_view word = frame.words[i];
        if (text::equal_ignoring_case(word, "warn_if_reject")) {
            if (warn_only_at_ == 0) warn_only_at_ = depth_;
            said_ = {};
            said_.status = word;
            note(frame.name, frame.about, word, {}, facts_.trail ? facts_.trail->size() : 0, verdict::dunno);
            continue;
        }
        said_ = {};
        const std::size_t mark = facts_.trail ? facts_.trail->size() : 0;
        std::size_t argument_at = i + 1;
        if (word.find(':') != std::string_view::npos) {
            if (frame.about.default_check.empty()) {
                warn(fmt::format(
                    "specify one of (check_client_access, check_reverse_client_hostname_access, check_helo_access, "
                    "check_sender_access, check_recipient_access, check_etrn_access) before {} restriction \"{}\"",
                    name_of(frame.about.about), word));
                got = configuration_error();
                note(frame.name, frame.about, word, {}, mark, got);
                break;
            }
            word = frame.about.default_check;
            argument_at = i;
        }
        std::string_view argument;
        const restriction* what = find_restriction(word);
        const auto named = what ? settings_.classes.end() : settings_.classes.find(word);
        if (what && !argument_fits(*what, frame.words, argument_at)) {
            switch (what->argument) {
                case argument_kind::domain:
                    warn(fmt::format("restriction {} requires domain name argument", word));
                    break;
                case argument_kind::number:
                    warn(fmt::format("restriction {} must be followed by number", what->name));
                    break;
                case argument_kind::service:
                    warn(fmt::format("restriction {} must be followed by transport:server", what->name));
                    break;
                default:
                    // At the end of a list Postfix shows the restriction itself for the argument that is missing.
                    warn(fmt::format(
                        "restriction {}: bad argument \"{}\": need maptype:mapname", what->name,
                        argument_at < frame.words.size() ? std::string_view(frame.words[argument_at]) : word));
            }
            got = what->argument == argument_kind::domain ? verdict::dunno : configuration_error();
        } else if (what) {
            if (what->argument != argument_kind::none) {
                argument = frame.words[argument_at];
                i = argument_at;
            }
            const call made{*what, argument, frame.about};
            if (what->at_once) {
                got = (this->*what->at_once)(made);
            } else {
                got = co_await (this->*what->waiting)(made);
            }
            warn_of_what_follows(frame, i, got);
        } else if (named != settings_.classes.end()) {
            const list_frame inner{named->first, named->second, frame.about};
            got = co_await run(inner);
        } else {
            warn(fmt::format("unknown smtpd restriction: \"{}\"", word));
            got = configuration_error();
        }
        note(frame.name, frame.about, word, argument, mark, got);
        if (warn_only_at_ >= depth_) warn_only_at_ = 0;
        if (got != verdict::dunno) break;
        if (memory_.if_permit.active && memory_.if_reject.active) break;
    }
    --depth_;
    co_return got;
}

void evaluation::warn_of_what_follows(const list_frame& frame, std::size_t at, verdict got) {
    if (at + 1 >= frame.words.size()) return;
    const std::string lower = text::lowered(frame.words[at]);
    const bool always = lower == "permit" && got == verdict::permit;
    const bool unless_warned =
        (lower == "reject" || lower == "defer" || lower == "check_relay_domains") && warn_only_at_ == 0;
    if (always || unless_warned)
        warn(fmt::format("restriction `{}' after `{}' is ignored", frame.words[at + 1], lower));
}

void evaluation::note(std::string_view list, const subject& about, std::string_view word, std::string_view argument,
                      std::size_t mark, verdict got) {
    if (!facts_.trail) return;
    constexpr std::string_view outcomes[] = {"dunno", "permit", "reject"};
    trail_entry made;
    made.list = list;
    made.restriction = argument.empty() ? std::string(word) : fmt::format("{} {}", word, argument);
    made.about = fmt::format("{} <{}>", name_of(about.about), about.name);
    made.status = got == verdict::dunno && !said_.status.empty() ? said_.status
                                                                 : std::string(outcomes[static_cast<std::size_t>(got)]);
    made.text = said_.text;
    made.key = said_.key;
    made.table = said_.table;
    made.value = said_.value;
    made.asked = said_.asked;
    made.where = said_.where;
    made.depth = std::max(depth_ - 1, 0);
    // Before what it led to: a class before its members.
    facts_.trail->insert(facts_.trail->begin() + static_cast<std::ptrdiff_t>(mark), std::move(made));
}

// -- saying no --------------------------------------------------------------------------------------------------------

verdict evaluation::refuse(refusal_cause cause, int code, std::string_view dsn, std::string_view text) {
    // Only a refusal of policy can be turned into a warning.
    const bool only_warn =
        warn_only_at_ > 0 && (cause == refusal_cause::policy || cause == refusal_cause::unknown_user);
    std::string made = fmt::format("{} {} {}", code, dsn, text);
    if (code < 400 || code > 599) {
        warn(fmt::format("SMTP reply code configuration error: {}", made));
        made = unusable_reply;
    } else if (!begins_with_status(std::string_view(made).substr(4))) {
        warn(fmt::format("DSN detail code configuration error: {}", made));
        made = unusable_reply;
    }
    made = address::printable(made, settings_.smtputf8, ' ');
    // An earlier trouble that may have kept the mail from being accepted turns a lasting refusal into that trouble.
    if (!only_warn && memory_.if_reject.active && made[0] == '5') {
        memory_.if_reject.active = false;
        warn_only_at_ = 0;
        const deferral why = memory_.if_reject;
        return refuse(refusal_cause::policy, why.code, why.dsn, why.reason);
    }
    if (settings_.soft_bounce && made[0] == '5') made[0] = '4';
    made[4] = made[0];
    log_whatsup(only_warn ? "reject_warning" : "reject", made);
    said_.text = made;
    if (only_warn) {
        said_.status = "warn";
        return verdict::dunno;
    }
    reply_ = std::move(made);
    cause_ = cause;
    return verdict::reject;
}

verdict evaluation::refuse_about(int code, std::string_view dsn, std::string_view name, reply_class about,
                                 std::string_view why) {
    return refuse(refusal_cause::policy, code, dsn, fmt::format("<{}>: {} rejected: {}", name, name_of(about), why));
}

namespace {

// The first reason is kept.
void put_off(deferral& into, int code, std::string_view dsn, std::string text) {
    if (into.active) return;
    into = {true, code, std::string(dsn), std::move(text)};
}

}  // namespace

verdict evaluation::maybe(tempfail how, int code, std::string_view dsn, std::string text) {
    if (warn_only_at_ > 0 || how != tempfail::defer_if_permit) return refuse(refusal_cause::policy, code, dsn, text);
    said_.status = "defer_if_permit";
    said_.text = fmt::format("{} {} {}", code, dsn, text);
    put_off(memory_.if_permit, code, dsn, std::move(text));
    return verdict::dunno;
}

void evaluation::defer_later_if_reject(int code, std::string_view dsn, std::string text) {
    said_.status = "defer_if_reject";
    said_.text = fmt::format("{} {} {}", code, dsn, text);
    put_off(memory_.if_reject, code, dsn, std::move(text));
}

verdict evaluation::configuration_error() {
    return refuse(refusal_cause::configuration, 451, "4.3.5", "Server configuration error");
}

verdict evaluation::lookup_error(std::string_view name) {
    return refuse(refusal_cause::lookup, 451, "4.3.0", fmt::format("<{}>: Temporary lookup failure", name));
}

// A permission is logged where smtpd_log_access_permit_actions names it and no doubt overrules it.
verdict evaluation::permitted(std::string_view action, reply_class about, std::string_view name,
                              std::string_view detail) {
    if (!memory_.if_permit.active && !settings_.logged_permissions.patterns().empty() &&
        settings_.logged_permissions.match(action).matched()) {
        log_whatsup("permit", fmt::format("action={} for {}={} {}", action, name_of(about), name, detail));
    }
    return verdict::permit;
}

// What an outsider controls may refuse mail, never allow it.
verdict evaluation::forbid_permit(const call& c, verdict got, std::string_view about) {
    if (got != verdict::permit || memory_.effects.discard) return got;
    warn(fmt::format("restriction {} returns OK for {}", c.what.name, about));
    warn("this is not allowed for security reasons");
    warn("use DUNNO instead of OK if you want to make an exception");
    return configuration_error();
}

// A mistake that Postfix notices only when it gets there, and does not survive.
void evaluation::die(std::string text) {
    mail_.log(by_, {}, maillog::remark{maillog::level::fatal, text});
    process_dies_ = true;
}

std::string evaluation::for_log(std::string_view address) const {
    if (address.empty()) return {};
    return settings_.external_log_addresses ? address::quote_822_local(address) : std::string(address);
}

void evaluation::log_whatsup(std::string_view action, std::string_view text) {
    std::string context;
    const auto add = [&](std::string_view name, const std::string& value, bool brackets) {
        if (!context.empty()) context += ' ';
        context += brackets ? fmt::format("{}=<{}>", name, value) : fmt::format("{}={}", name, value);
    };
    if (sender_) add("from", for_log(*sender_), true);
    if (recipient_) add("to", for_log(*recipient_), true);
    add("proto", facts_.protocol, false);
    if (!facts_.helo.empty()) add("helo", facts_.helo, true);
    maillog::verdict told;
    told.action = action;
    told.stage = stage_name_;
    told.client = facts_.client->for_log();
    told.text = text;
    told.context = context;
    mail_.log(by_, facts_.queue_id.empty() ? "NOQUEUE" : facts_.queue_id, told);
}

void evaluation::warn(std::string text) const {
    mail_.warn(by_, std::move(text));
}

void evaluation::warn_all(const std::vector<std::string>& texts) const {
    for (const std::string& each : texts) warn(each);
}

void evaluation::warn_once(std::string_view key, std::string text) {
    const bool news = settings_.process(by_.pid).said_once.emplace(key).second;
    if (news) warn(std::move(text));
}

}  // namespace mta::smtpd
