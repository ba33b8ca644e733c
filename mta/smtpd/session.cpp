#include "mta/smtpd/session.hpp"

#include <fmt/format.h>

#include "mta/address/host_name.hpp"
#include "mta/master/mail_system.hpp"
#include "mta/text/escape.hpp"
#include "mta/text/strings.hpp"

namespace mta::smtpd {
namespace {

using address::verb;

// As smtpd(8) has it of each command: what may come before TLS, what counts as junk, what must be the last of a group.
struct command_rule {
    verb name;
    bool before_tls, junk, last;
};
constexpr command_rule rules[] = {
    {verb::helo, true, true, true},    {verb::ehlo, true, true, true},     {verb::starttls, true, false, false},
    {verb::auth, false, false, false}, {verb::mail, false, false, false},  {verb::rcpt, false, false, false},
    {verb::data, false, false, true},  {verb::bdat, false, false, false},  {verb::rset, false, true, false},
    {verb::noop, true, true, true},    {verb::vrfy, false, true, true},    {verb::etrn, false, true, false},
    {verb::quit, true, false, false},  {verb::xclient, true, false, true}, {verb::xforward, false, false, false},
};
const command_rule& rule_of(verb name) {
    for (const command_rule& each : rules) {
        if (each.name == name) return each;
    }
    static constexpr command_rule none{verb::unknown, true, false, false};
    return none;
}

}  // namespace

// What the postmaster may want to know of a refusal (notify_classes); of a failed lookup, only `data` would tell.
notice session::notice_of(refusal_cause cause) {
    switch (cause) {
        case refusal_cause::policy:
            return notice::policy;
        case refusal_cause::unknown_user:
            return notice::bounce;
        case refusal_cause::configuration:
            return notice::software;
        case refusal_cause::lookup:
            break;
    }
    return notice::none;
}

session::session(server& owner, const maillog::process& process, std::unique_ptr<byte_stream> stream, endpoint local,
                 endpoint remote)
    : server_(owner),
      mail_(owner.mail()),
      options_(owner.options()),
      process_(process),
      local_(local),
      remote_(remote),
      connection_(stream->connection()),
      stream_(std::move(stream), owner.mail().clock()) {}

void session::warn(std::string text) {
    mail_.warn(process_, std::move(text));
}

void session::log(const maillog::event& what, std::string_view queue_id) {
    mail_.log(process_, queue_id, what, connection_);
}

// smtpd_reject_footer, then soft_bounce, then the transcript, each line for itself.
void session::reply(std::string_view text) {
    std::string whole(text);
    if (options_.has_reject_footer && (text.substr(0, 1) == "4" || text.substr(0, 1) == "5")) {
        const access_facts known = facts();
        whole = server_.restrictions().with_footer(std::move(whole), known, process_);
    }
    if (errors_ >= options_.soft_error_limit) ++pauses_;
    if (mail_.host().wants_commands()) last_reply_ = whole;
    for (std::size_t begin = 0; begin <= whole.size();) {
        const std::size_t end = std::min(whole.find("\r\n", begin), whole.size());
        std::string line = whole.substr(begin, end - begin);
        if (options_.soft_bounce && !line.empty() && line[0] == '5') {
            line[0] = '4';
            if (line.size() > 4 && line[4] == '5') line[4] = '4';
        }
        if (line.substr(0, 3) == "421" || line.substr(0, 3) == "521") hang_up_ = true;
        remember("Out: ", line);
        stream_.put(line);
        stream_.put("\r\n");
        begin = end + 2;
    }
}

session::verdict session::refuse(std::string_view text, notice why) {
    note(why);
    reply(text);
    return verdict::bad;
}

session::verdict session::refuse(const address::refusal& refused) {
    if (!refused.warning.empty()) warn(refused.warning);
    if (refused.illegal_address) {
        warn(fmt::format("Illegal address syntax from {} in {} command: {}", client_.name_and_address(), where_,
                         *refused.illegal_address));
    }
    return refuse(refused.reply, refused.cause == address::refusal_class::policy ? notice::policy : notice::protocol);
}

session::verdict session::refuse(const decision& decided) {
    died_ = died_ || decided.process_dies;
    if (decided.hang_up || decided.process_dies) return verdict::quit;
    return refuse(decided.reply, notice_of(decided.cause));
}

access_facts session::facts() {
    access_facts known;
    known.client = &client_;
    known.server = local_;
    known.connected_from = connected_from_;
    known.command = command_;
    known.helo = helo_;
    known.sender = transaction_.sender;
    known.sender_as_sent = transaction_.sender_as_sent;
    known.protocol = extended_ ? "ESMTP" : "SMTP";
    known.smtputf8 = leftovers_.smtputf8;
    known.queue_id = transaction_.queue_id.empty() ? transaction_.lost_id : transaction_.queue_id;
    known.recipient_count = transaction_.lost_recipients + transaction_.recipients.size();
    known.message_size = transaction_.size > 0 ? transaction_.size : transaction_.mail.size;
    known.sasl_active = sasl_active();
    known.sasl_username = sasl_username_;
    known.sasl_method = sasl_method_;
    if (transaction_.mail.auth) known.sasl_sender = *transaction_.mail.auth;
    known.pipelined_improperly = pipelined_;
    known.tls = in_tls_;
    known.tls_protocol = tls_.protocol;
    known.tls_cipher = tls_.cipher;
    known.tls_key_bits = tls_.cipher_bits;
    known.certificate.present = tls_.certificate_present;
    known.certificate.trusted = tls_.trust == tls::trust::trusted || tls_.trust == tls::trust::verified;
    known.certificate.subject = tls_.peer_common_name;
    known.certificate.issuer = tls_.issuer_common_name;
    known.certificate.fingerprint = tls_.certificate_fingerprint;
    known.certificate.public_key_fingerprint = tls_.public_key_fingerprint;
    known.memory = &memory_;
    if (etrn_domain_) known.etrn_domain = *etrn_domain_;
    if (recipient_) {
        known.recipient = *recipient_;
        known.recipient_as_sent = recipient_as_sent_;
    } else if (!transaction_.first_recipient.empty()) {
        known.recipient = transaction_.first_recipient;
    }
    return known;
}

address::command_rules session::grammar() {
    address::command_rules rules = server_.grammar(discarded_);
    rules.xverp_allowed = verp_allowed();
    rules.default_verp_delimiters = options_.default_verp_delimiters;
    rules.verp_delimiter_filter = options_.verp_delimiter_filter;
    rules.leftovers = leftovers_;
    rules.resolve = [this](std::string_view internal) -> std::optional<std::string> {
        const std::string sender = transaction_.sender.value_or(std::string(internal));
        const auto to = server_.restrictions().resolve(sender, internal, process_);
        if (to->flags.error) return std::nullopt;
        return to->recipient;
    };
    return rules;
}

void session::record(std::string_view line) {
    if (!mail_.host().wants_commands()) return;
    maillog::command told;
    told.line = line;
    told.reply = last_reply_;
    log(told, transaction_.queue_id);
}

void session::count(verb which, bool succeeded) {
    counter& of = counters_[static_cast<std::size_t>(which)];
    ++of.total;
    if (succeeded) ++of.succeeded;
}

// Replies wait until the client's input is used up, and a client that errs much waits for each
// (smtpd_error_sleep_time).
task<io_error> session::send() {
    if (pauses_ > 0) {
        const duration pause = pauses_ * options_.error_sleep_time;
        pauses_ = 0;
        co_await sleep_for(mail_.clock(), pause);
    }
    const io_error unsent = co_await stream_.flush(options_.timeout);
    co_return unsent;
}

task<void> session::run() {
    const identified who = co_await identify(mail_.host(), remote_, options_.peername_lookup);
    client_ = who.client;
    if (options_.logs_client_port) client_.shown_port = std::to_string(client_.port);
    connected_from_ = client_.address;
    xforward_ = listed(options_.xforward_hosts);
    server_.restrictions().introduce(options_.greetings, process_);
    server_.introduce(process_);
    if (!who.warning.empty()) warn(who.warning);
    log(maillog::connected{client_.for_log()});
    const bool greeted = co_await greet();
    if (!last_reply_.empty() && last_reply_[0] != '2') record({});
    if (greeted) co_await converse();
    if (error_ == io_error::timed_out && reason_.empty()) {
        reason_ = "timeout";
        if (stream_.connected()) reply(fmt::format("421 4.4.2 {} Error: timeout exceeded", options_.myhostname));
    } else if (error_ != io_error::none && reason_.empty()) {
        reason_ = "lost connection";
    }
    if (stream_.connected() && !died_ && reason_ != "lost connection") co_await send();
    if (counted_ && !excepted_from_limits()) server_.traffic().disconnect(options_.service_name, counted_as_);
    if (!died_) log_end();
}

task<void> session::converse() {
    for (;;) {
        if (hang_up_) co_return;
        if (errors_ >= options_.hard_error_limit) {
            reason_ = "too many errors";
            note(notice::protocol);
            reply(fmt::format("421 4.7.0 {} Error: too many errors", options_.myhostname));
            co_return;
        }
        const bool more = co_await next_command();
        if (!more) co_return;
        const verdict last = co_await one_command();
        record(maillog::without_secret(text_));
        if (last == verdict::quit || last == verdict::lost) co_return;
        if (last == verdict::bad) ++errors_;
    }
}

// A line longer than line_length_limit is cut, warned of, and taken for what is left of it.
task<bool> session::next_command() {
    if (!stream_.has_line()) {
        const io_error unsent = co_await send();
        error_ = unsent;
        if (unsent != io_error::none) co_return false;
    }
    const std::size_t limit = options_.line_length_limit;
    smtp_stream::line got = co_await stream_.read_line(text_, limit, options_.timeout);
    error_ = got.error;
    if (error_ != io_error::none) co_return false;
    const bool crlf = got.end == smtp_stream::line_end::crlf;
    const bool cut = got.end == smtp_stream::line_end::none || text_.size() + (crlf ? 2 : 1) > limit;
    std::string rest;
    while (got.end == smtp_stream::line_end::none) {
        got = co_await stream_.read_line(rest, limit, options_.timeout);
        error_ = got.error;
        if (error_ != io_error::none) co_return false;
    }
    while (!cut && !checks_bare_newline_ && !text_.empty() && text_.back() == '\r') text_.pop_back();
    remember("In:  ", text_);
    if (cut) {
        warn(fmt::format("{}: request longer than {}: {:.30}...", client_.name_and_address(), limit,
                         address::printable(text_, options_.smtputf8)));
    }
    if (checks_bare_newline_ && got.end == smtp_stream::line_end::lf &&
        options_.bare_newline == bare_newline::rejected) {
        note(notice::protocol);
        log_rejection(where_, "bare <LF> received");
        reply(fmt::format("{} 5.5.2 {} Error: bare <LF> received", options_.bare_newline_code, options_.myhostname));
        co_return false;
    }
    co_return true;
}

std::string_view session::logged_id() const {
    const transaction& t = transaction_;
    return !t.queue_id.empty() ? t.queue_id : !t.lost_id.empty() ? t.lost_id : std::string_view("NOQUEUE");
}

// What a table cannot tell ends the session.
session::verdict session::local_data_error() {
    const std::string text = fmt::format("421 4.3.0 {} Server local data error", options_.myhostname);
    maillog::verdict told;
    told.action = "reject";
    told.stage = where_;
    told.client = client_.for_log();
    told.text = text;
    log(told, logged_id());
    reply(text);
    return verdict::bad;
}

bool session::pipelines_improperly(const address::command_line& line) {
    const std::string_view waiting = stream_.unread();
    if (pipelined_ || waiting.empty() || (extended_ && !rule_of(line.name).last)) return false;
    inform(fmt::format("improper command pipelining after {} from {}: {}", address::name_of(line.name),
                       client_.name_and_address(), text::escaped(waiting.substr(0, 100))));
    if (!options_.forbid_pipelining) pipelined_ = true;
    return true;
}

bool session::is_one_of(const table::string_list& words, std::string_view word) {
    const table::list_match match = words.match(word);
    for (const std::string& each : match.warnings) warn(each);
    return match.matched();
}

task<session::verdict> session::one_command() {
    // Not even a filter sees what is no text.
    const bool filtered = options_.command_filter != nullptr;
    if (filtered && options_.smtputf8 && !address::valid_utf8(text_))
        co_return refuse("500 5.5.2 Error: bad UTF-8 syntax");
    if (!server_.filter(text_, client_, process_)) co_return local_data_error();
    const auto parsed = address::parse_command(text_, options_.smtputf8);
    if (const auto* refused = std::get_if<address::refusal>(&parsed)) co_return refuse(*refused);
    const auto& line = std::get<address::command_line>(parsed);
    if (!options_.noop_commands.patterns().empty() && is_one_of(options_.noop_commands, line.word())) {
        reply("250 2.0.0 Ok");
        co_return junk_++ > options_.junk_command_limit ? verdict::bad : verdict::good;
    }
    if (line.name == verb::unknown) {
        where_ = "UNKNOWN";
        count(verb::unknown, false);
        if (address::looks_like_header(line.word()) || is_one_of(options_.forbidden_commands, line.word())) {
            warn(fmt::format("non-SMTP command from {}: {:.100}", client_.name_and_address(), text::escaped(text_)));
            reply("221 2.7.0 Error: I can break rules, too. Goodbye.");
            co_return verdict::quit;
        }
    }
    if (!denied_.empty() && line.name != verb::quit) {
        if (line.name != verb::unknown) count(line.name, false);
        co_return refuse(fmt::format("503 5.7.0 Error: access denied for {}", client_.name_and_address()),
                         notice::none);
    }
    if (line.name == verb::unknown) co_return refuse("500 5.5.2 Error: command not recognized");
    const command_rule& rule = rule_of(line.name);
    if (options_.tls_required && !in_tls_ && !rule.before_tls) {
        count(line.name, false);
        co_return refuse("530 5.7.0 Must issue a STARTTLS command first", notice::none);
    }
    where_ = address::name_of(line.name);
    if (pipelines_improperly(line) && options_.forbid_pipelining) {
        count(line.name, false);
        reply("554 5.5.0 Error: SMTP protocol synchronization");
        co_return verdict::quit;
    }
    verdict last = co_await execute(line);
    // XCLIENT begins the session anew and never comes to its count.
    count(line.name,
          (last == verdict::good && line.name != verb::xclient) || (last == verdict::quit && line.name == verb::quit));
    if (rule.junk && junk_++ > options_.junk_command_limit) ++errors_;
    co_return last;
}

task<session::verdict> session::execute(const address::command_line& line) {
    switch (line.name) {
        case verb::helo:
            co_return co_await helo(line, false);
        case verb::ehlo:
            co_return co_await helo(line, true);
        case verb::starttls:
            co_return co_await start_tls(line);
        case verb::auth:
            co_return co_await auth(line);
        case verb::mail:
            co_return co_await mail(line);
        case verb::rcpt:
            co_return co_await rcpt(line);
        case verb::data:
            co_return co_await data(line);
        case verb::bdat:
            co_return co_await bdat(line);
        case verb::rset:
            co_return co_await rset(line);
        case verb::noop:
            reply("250 2.0.0 Ok");
            co_return verdict::good;
        case verb::vrfy:
            co_return co_await vrfy(line);
        case verb::etrn:
            co_return co_await etrn(line);
        case verb::quit:
            reply("221 2.0.0 Bye");
            co_return verdict::quit;
        case verb::xclient:
            co_return co_await xclient(line);
        case verb::xforward:
            co_return co_await xforward(line);
        case verb::unknown:
            break;
    }
    co_return verdict::bad;
}

}  // namespace mta::smtpd
