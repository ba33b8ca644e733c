#include "mta/smtpd/access.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "mta/address/quote.hpp"
#include "mta/address/trivial_rewrite.hpp"
#include "mta/config/parameters.hpp"
#include "mta/master/mail_system.hpp"
#include "mta/table/match_list.hpp"
#include "mta/text/strings.hpp"

namespace mta::smtpd {

struct access::lists {
    std::vector<std::string> client, helo, sender, relay, recipient, data, end_of_data, etrn;
    table::name_address_list mynetworks;
    table::maps local_recipients;
    bool local_recipients_has_accounts = false, checks_local_recipients = false;
    bool delay_reject, reject_unlisted_recipient, show_table_name;
    int relay_code, access_code, unknown_local_code;
};

// One command's way through the lists.
struct access::evaluation {
    const access_facts& facts;
    const maillog::process& by;
    const char* stage_name;                             // in the log: RCPT
    std::string about;                                  // what the reply is about: <recipient>, <sender>, client
};

access::access(master::mail_system& mail, master::daemon& service) : mail_(mail), service_(service) {
    const config::parameters& p = *service.parameters;
    auto made = std::make_unique<lists>();
    made->client = p.words("smtpd_client_restrictions");
    made->helo = p.words("smtpd_helo_restrictions");
    made->sender = p.words("smtpd_sender_restrictions");
    made->relay = p.words("smtpd_relay_restrictions");
    made->recipient = p.words("smtpd_recipient_restrictions");
    made->data = p.words("smtpd_data_restrictions");
    made->end_of_data = p.words("smtpd_end_of_data_restrictions");
    made->etrn = p.words("smtpd_etrn_restrictions");
    std::vector<table::diagnostic> complaints;
    const auto environment = mail.table_environment();
    made->mynetworks = table::name_address_list("mynetworks", p.text("mynetworks"), mail.shared().tables, environment, complaints,
                                                table::parent_style_of("mynetworks", p.text("parent_domain_matches_subdomains")));
    std::string tables;
    for (const std::string& each : p.words("local_recipient_maps")) {
        made->checks_local_recipients = true;
        if (each.find("unix:passwd.byname") != std::string::npos) {
            made->local_recipients_has_accounts = true;
        } else {
            tables += each + " ";
        }
    }
    made->local_recipients = table::maps::open("local_recipient_maps", tables, mail.shared().tables, environment, {}, complaints);
    made->delay_reject = p.flag("smtpd_delay_reject");
    made->reject_unlisted_recipient = p.flag("smtpd_reject_unlisted_recipient");
    made->show_table_name = p.flag("show_user_unknown_table_name");
    made->relay_code = static_cast<int>(p.number("relay_domains_reject_code"));
    made->access_code = static_cast<int>(p.number("access_map_reject_code"));
    made->unknown_local_code = static_cast<int>(p.number("unknown_local_recipient_reject_code"));
    for (const table::diagnostic& each : complaints) mail.warn(mail.process_of("smtpd"), each.text);
    lists_ = std::move(made);
}

access::~access() = default;

void access::log_refusal(const evaluation& now, const decision& what) const {
    const access_facts& facts = now.facts;
    maillog::verdict told;
    told.action = "reject";
    told.stage = now.stage_name;
    told.client = facts.client->for_log();
    told.text = what.reply;
    std::string context;
    if (facts.sender) context += fmt::format("from=<{}>", *facts.sender);
    if (facts.recipient) context += fmt::format("{}to=<{}>", context.empty() ? "" : " ", *facts.recipient);
    context += fmt::format("{}proto={}", context.empty() ? "" : " ", facts.protocol);
    if (!facts.helo.empty()) context += fmt::format(" helo=<{}>", facts.helo);
    told.context = context;
    mail_.log(now.by, facts.queue_id.empty() ? "NOQUEUE" : facts.queue_id, told);
}

task<decision> access::check(stage at, const access_facts& facts, const maillog::process& by) {
    struct step {
        const std::vector<std::string>* list;
        const char* parameter;
        std::string about;
    };
    const lists& l = *lists_;
    const std::string client = fmt::format("<{}>", facts.client->name_and_address());
    const std::string helo = fmt::format("<{}>", facts.helo);
    const step client_step{&l.client, "smtpd_client_restrictions", client};
    const step helo_step{&l.helo, "smtpd_helo_restrictions", helo};
    const step sender_step{&l.sender, "smtpd_sender_restrictions", facts.sender_as_sent};
    std::vector<step> steps;
    const char* name = "RCPT";
    switch (at) {
        case stage::connect:
            name = "CONNECT";
            if (!l.delay_reject) steps = {client_step};
            break;
        case stage::helo:
            name = "HELO";
            if (!l.delay_reject) steps = {helo_step};
            break;
        case stage::mail:
            name = "MAIL";
            if (!l.delay_reject) steps = {sender_step};
            break;
        case stage::rcpt:
        case stage::vrfy:
            name = at == stage::rcpt ? "RCPT" : "VRFY";
            if (l.delay_reject && at == stage::rcpt) steps = {client_step, helo_step, sender_step};
            steps.push_back({&l.relay, "smtpd_relay_restrictions", facts.recipient_as_sent});
            steps.push_back({&l.recipient, "smtpd_recipient_restrictions", facts.recipient_as_sent});
            break;
        case stage::data:
            name = "DATA";
            steps = {{&l.data, "smtpd_data_restrictions", "<DATA>"}};
            break;
        case stage::end_of_data:
            name = "END-OF-MESSAGE";
            steps = {{&l.end_of_data, "smtpd_end_of_data_restrictions", "<END-OF-MESSAGE>"}};
            break;
        case stage::etrn:
            name = "ETRN";
            if (l.delay_reject) steps = {client_step, helo_step};
            steps.push_back({&l.etrn, "smtpd_etrn_restrictions", "<ETRN>"});
            break;
    }
    decision result;
    for (const step& each : steps) {
        evaluation now{facts, by, name, each.about};
        result = co_await run(*each.list, each.parameter, now);
        if (result.refused()) {
            log_refusal(now, result);
            co_return result;
        }
    }
    if (at == stage::rcpt && l.reject_unlisted_recipient) {
        const evaluation now{facts, by, name, facts.recipient_as_sent};
        result = unlisted_recipient(now);
        if (result.refused()) log_refusal(now, result);
    }
    co_return result;
}

task<decision> access::run(const std::vector<std::string>& list, const char*, evaluation& now) {
    for (const std::string& each : list) {
        decision result = co_await evaluate(each, now);
        if (result.what != decision::outcome::dunno) co_return result;
    }
    co_return decision{};
}

bool access::authorized_destination(const evaluation& now) const {
    if (!now.facts.recipient) return true;
    const address::resolved& to = mail_.rewrite().resolve(now.facts.sender.value_or(""), *now.facts.recipient);
    if (to.flags.routed) return false;
    switch (to.domain) {
        case address::domain_class::local:
        case address::domain_class::virtual_alias:
        case address::domain_class::virtual_mailbox:
        case address::domain_class::relay: return true;
        case address::domain_class::none:
        case address::domain_class::other: break;
    }
    return false;
}

decision access::unlisted_recipient(const evaluation& now) const {
    if (!now.facts.recipient || !lists_->checks_local_recipients) return {};
    const address::resolved& to = mail_.rewrite().resolve(now.facts.sender.value_or(""), *now.facts.recipient);
    if (to.domain != address::domain_class::local) return {};
    const auto parts = address::split_at_domain(to.recipient);
    const std::string user = text::lowered(parts.local);
    if (user == "postmaster" || user == "mailer-daemon" || user == "double-bounce") return {};
    const auto stripped = address::strip_extension(user, mail_.rewrite().extensions());
    if (lists_->local_recipients_has_accounts &&
        (mail_.host().find_account(user) || (stripped && mail_.host().find_account(stripped->address)))) {
        return {};
    }
    const auto found = table::find_address(lists_->local_recipients, to.recipient, mail_.rewrite().address_rules());
    if (found.found()) return {};
    if (found.failed()) {
        return {decision::outcome::refuse, fmt::format("451 4.3.0 {}: Temporary lookup failure", now.facts.recipient_as_sent)};
    }
    return {decision::outcome::refuse,
            fmt::format("{} 5.1.1 {}: Recipient address rejected: User unknown{}", lists_->unknown_local_code,
                        now.facts.recipient_as_sent, lists_->show_table_name ? " in local recipient table" : "")};
}

task<decision> access::evaluate(std::string_view word, evaluation& now) {
    const access_facts& facts = now.facts;
    const std::string name = text::lowered(word);
    const decision dunno, permit{decision::outcome::permit, {}};
    const auto refuse = [](std::string reply) { return decision{decision::outcome::refuse, std::move(reply)}; };
    if (name == "permit") co_return permit;
    if (name == "reject") co_return refuse(fmt::format("{} 5.7.1 {}: Access denied", lists_->access_code, now.about));
    if (name == "defer") co_return refuse(fmt::format("450 4.3.2 {}: Try again later", now.about));
    if (name == "permit_mynetworks") {
        const auto match = lists_->mynetworks.match(facts.client->name, facts.client->address);
        co_return match.matched() ? permit : dunno;
    }
    if (name == "permit_sasl_authenticated") co_return facts.sasl_username.empty() ? dunno : permit;
    if (name == "permit_auth_destination") co_return authorized_destination(now) ? permit : dunno;
    if (name == "reject_unauth_destination" || name == "defer_unauth_destination") {
        const auto parts = address::split_at_domain(facts.recipient.value_or(""));
        const bool bare_postmaster = !parts.domain && text::equal_ignoring_case(parts.local, "postmaster");
        if (bare_postmaster || authorized_destination(now)) co_return dunno;
        const bool defer = name[0] == 'd';
        co_return refuse(fmt::format("{} {} {}: Relay access denied", defer ? 454 : lists_->relay_code, defer ? "4.7.1" : "5.7.1", now.about));
    }
    if (name == "reject_unlisted_recipient") co_return unlisted_recipient(now);
    mail_.warn(now.by, fmt::format("unknown smtpd restriction: \"{}\"", word));
    co_return refuse("451 4.3.5 Server configuration error");
}

}  // namespace mta::smtpd
