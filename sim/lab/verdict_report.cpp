#include "sim/lab/verdict_report.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "mta/config/problem.hpp"
#include "mta/smtpd/server.hpp"
#include "mta/text/strings.hpp"

namespace sim::lab {
namespace {

namespace smtpd = mta::smtpd;
namespace config = mta::config;

constexpr std::string_view stage_names[] = {"CONNECT", "EHLO", "MAIL", "RCPT", "DATA", "END-OF-DATA", "ETRN", "VRFY"};

// The rule that a refusal comes from: the last that rejected, or the doubt that was left open.
smtpd::trail_entry const* deciding(const smtpd::trial_answer& answer) {
    const smtpd::trail_entry* found = nullptr;
    for (const smtpd::trail_entry& each : answer.trail) {
        if (answer.refused ? each.status == "reject" : each.status == "permit") found = &each;
    }
    if (!answer.refused || found) return found;
    for (const smtpd::trail_entry& each : answer.trail) {
        if (each.status == "defer_if_permit" || each.status == "defer_if_reject") found = found ? found : &each;
    }
    return found;
}

}  // namespace

examiner::examiner(trial& host, std::string_view service)
    : host_(host),
      service_([&]() -> mta::master::daemon& {
          if (auto* found = host.smtp_service(service)) return *found;
          throw config::fatal({}, fmt::format("master.cf has no smtpd service {}", service));
      }()),
      places_(*service_.parameters, host.folder()) {
    server_ = std::make_unique<smtpd::server>(host.mail(), service_);
    if (const std::string& why = server_->restrictions().fatal(); !why.empty()) throw config::fatal({}, why);
    trial_ = std::make_unique<smtpd::trial>(*server_, mta::maillog::process{service_.processes.tag(), 1});
    server_->restrictions().introduce({service_.processes.tag(), 1});
}

examiner::~examiner() = default;

std::optional<smtpd::peer> examiner::client(std::string_view text) {
    using mta::address::ip_address;
    smtpd::peer made;
    std::string_view name, address = text;
    if (const auto open = text.find('['); open != std::string_view::npos && open > 0 && text.ends_with(']')) {
        const std::string_view outside = text.substr(0, open), inside = text.substr(open + 1, text.size() - open - 2);
        const bool address_first = ip_address::parse(outside).has_value();
        address = address_first ? outside : inside;
        name = address_first ? inside : outside;
    }
    const auto parsed = ip_address::parse(address);
    if (!parsed) return std::nullopt;
    made.address = parsed->to_string();
    if (!name.empty()) {
        if (!mta::text::equal_ignoring_case(name, "unknown")) {
            made.name = made.reverse_name = std::string(name);
            made.name_status = made.reverse_name_status = '2';
        }
        return made;
    }
    mta::endpoint remote;
    remote.address = *parsed;
    const bool look_up = server_->options().peername_lookup;
    const auto ask = [&]() -> mta::task<void> {
        smtpd::identified who = co_await smtpd::identify(host_.host(), remote, look_up);
        made = std::move(who.client);
    };
    host_.run(ask());
    return made;
}

stage_report examiner::report(const smtpd::trial_answer& answer) {
    stage_report made;
    made.stage = stage_names[static_cast<std::size_t>(answer.at)];
    made.command = answer.command;
    made.reply = answer.reply;
    made.refused = answer.refused;
    made.closes = answer.closes;
    const auto* chosen = deciding(answer);
    std::map<std::pair<std::string, std::string>, std::size_t> seen;
    for (const smtpd::trail_entry& each : answer.trail) {
        tried_rule rule;
        rule.list = each.list;
        rule.restriction = each.restriction;
        rule.about = each.about;
        rule.status = each.status;
        rule.text = each.text;
        rule.place = places_.of_phrase(each.list, each.restriction, seen[{each.list, each.restriction}]++);
        rule.table = each.table;
        rule.key = each.key;
        rule.value = each.value;
        rule.asked = each.asked;
        rule.entry_place = places_.of_entry(each.where);
        rule.depth = each.depth;
        rule.decided = &each == chosen;
        made.rules.push_back(std::move(rule));
    }
    if (answer.refused && !answer.by_restrictions) made.decided_by = "smtpd itself, before any restriction";
    return made;
}

verdict_report examiner::explain(const smtpd::trial_question& what) {
    verdict_report made;
    made.client = what.client.name_and_address();
    std::vector<smtpd::trial_answer> answers;
    smtpd::message_effects effects;
    host_.take_complaints();
    host_.run(trial_->ask(what, smtpd::trial::detail::trails, answers, &effects));
    for (const smtpd::trial_answer& each : answers) {
        made.stages.push_back(report(each));
        made.refused = made.refused || each.refused;
    }
    made.complaints = host_.take_complaints();
    if (effects.hold) made.effects.emplace_back("HOLD");
    if (effects.discard) made.effects.emplace_back("DISCARD");
    if (!effects.filter.empty()) made.effects.push_back("FILTER " + effects.filter);
    if (!effects.redirect.empty()) made.effects.push_back("REDIRECT " + effects.redirect);
    for (const std::string& each : effects.bcc) made.effects.push_back("BCC " + each);
    for (const std::string& each : effects.prepend) made.effects.push_back("PREPEND " + each);
    add_notes(what, made);
    return made;
}

void examiner::add_notes(const smtpd::trial_question& what, verdict_report& made) const {
    const smtpd::settings& options = server_->options();
    if (!what.login.empty() && !options.sasl_enabled) {
        made.notes.emplace_back("no AUTH is offered (smtpd_sasl_auth_enable = no): the login has no effect");
    } else if (!what.login.empty() && options.tls_auth_only && !what.tls) {
        made.notes.emplace_back("AUTH is offered over TLS alone (smtpd_tls_auth_only): the login has no effect");
    }
    if (what.tls && !options.tls_available)
        made.notes.emplace_back("no STARTTLS is offered: a real client could not have had TLS");
    for (const std::string& each : host_.unknown_to_dns())
        made.notes.push_back(fmt::format("DNS: no zone holds {}, so that it does not exist here", each));
}

void examiner::judge(const std::function<bool(smtpd::trial_question&)>& next,
                     const std::function<void(const verdict&)>& tell) {
    const auto judge_all = [&]() -> mta::task<void> {
        std::vector<smtpd::trial_answer> answers;
        smtpd::trial_question asked;
        while (next(asked)) {
            co_await trial_->ask(asked, smtpd::trial::detail::replies, answers, nullptr);
            const smtpd::trial_answer& last = answers.back();
            tell({stage_names[static_cast<std::size_t>(last.at)], last.reply, last.refused});
        }
    };
    host_.run(judge_all());
}

namespace {

// "Recipient address <a@b>" without the name.
std::string_view class_of(std::string_view about) {
    const auto bracket = about.find(" <");
    return about.substr(0, bracket);
}

// Lists within lists, as smtpd enters and leaves them.
class trail_writer {
  public:
    explicit trail_writer(std::vector<std::string>& out) : out_(out) {}

    void add(const tried_rule& rule) {
        const bool implied = rule.list.starts_with("smtpd_reject_unlisted_");
        const auto level = static_cast<std::size_t>(rule.depth);
        while (!open_.empty() && (implied || open_.size() > level + 1 || open_.back().list != rule.list)) {
            if (!implied && open_.size() <= level) break;
            close();
        }
        if (implied) {
            out_.push_back(fmt::format(">>> CHECKING {} VALIDATION MAPS <<<", class_of(rule.about)));
            return;
        }
        if (open_.size() <= level) {
            out_.push_back(fmt::format(">>> START {} RESTRICTIONS <<<", class_of(rule.about)));
            open_.push_back({rule.list, std::string(class_of(rule.about)), {}});
        } else {
            finish_rule();
        }
        const std::string name = rule.restriction.substr(0, rule.restriction.find(' '));
        out_.push_back(fmt::format("generic_checks: name={}", name));
        if (name == "reject_unlisted_recipient" || name == "reject_unlisted_sender") {
            out_.push_back(fmt::format(">>> CHECKING {} address VALIDATION MAPS <<<",
                                       name.ends_with("sender") ? "Sender" : "Recipient"));
        }
        const auto space = rule.restriction.find(' ');
        if (!rule.asked.empty() && space != std::string::npos) {
            out_.push_back(fmt::format("check_table_result: {} {} {}", rule.restriction.substr(space + 1), rule.value,
                                       rule.asked));
        }
        if (name != "warn_if_reject") {
            const int status = rule.status == "reject" ? 2 : rule.status == "permit" ? 1 : 0;
            open_.back().pending = fmt::format("generic_checks: name={} status={}", name, status);
        }
    }
    void end() {
        while (!open_.empty()) close();
    }

  private:
    struct open_list {
        std::string list, about, pending;
    };
    void finish_rule() {
        if (open_.empty() || open_.back().pending.empty()) return;
        out_.push_back(std::exchange(open_.back().pending, {}));
    }
    void close() {
        finish_rule();
        out_.push_back(fmt::format(">>> END {} RESTRICTIONS <<<", open_.back().about));
        open_.pop_back();
    }
    std::vector<std::string>& out_;
    std::vector<open_list> open_;
};

}  // namespace

std::vector<std::string> examiner::as_postfix_logs(const verdict_report& report) {
    std::vector<std::string> lines;
    for (const stage_report& stage : report.stages) {
        trail_writer writer(lines);
        for (const tried_rule& each : stage.rules) writer.add(each);
        writer.end();
    }
    return lines;
}

}  // namespace sim::lab
