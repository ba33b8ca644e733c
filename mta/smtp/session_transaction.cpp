// mta/smtp/session_transaction.cpp - the envelope of one message: XFORWARD, MAIL, RCPT and DATA with their parameters,
// one by one or pipelined, and which recipients the replies leave (RFC 5321 3.3, RFC 2920, RFC 3461, smtp_proto.c).
#include <fmt/format.h>

#include <algorithm>

#include "mta/address/map_address.hpp"
#include "mta/address/quote.hpp"
#include "mta/address/trivial_rewrite.hpp"
#include "mta/master/mail_system.hpp"
#include "mta/smtp/session.hpp"
#include "mta/text/strings.hpp"

namespace mta::smtp {
namespace {

struct step_words {
    const char *doing, *command;
};
constexpr step_words words[] = {{"sending XFORWARD name/address", "XFORWARD name/address command"},
                                {"sending XFORWARD protocol/helo_name", "XFORWARD helo/protocol command"},
                                {"sending MAIL FROM", "MAIL FROM command"},
                                {"sending RCPT TO", "RCPT TO command"},
                                {"sending DATA command", "DATA command"}};
const step_words& words_of(transaction_step step) {
    return words[static_cast<std::size_t>(step)];
}

std::string notify_text(unsigned flags) {
    if (flags & queue::notify_never) return "NEVER";
    std::string out;
    const auto add = [&](unsigned flag, const char* name) {
        if (flags & flag) (out += out.empty() ? "" : ",") += name;
    };
    add(queue::notify_success, "SUCCESS");
    add(queue::notify_failure, "FAILURE");
    add(queue::notify_delay, "DELAY");
    return out;
}

}  // namespace

// smtp_generic_maps, in the envelope.
std::string session::generic_address(const std::string& internal) {
    const filters& with = settings_.outgoing;
    if (internal.empty() || with.generic.empty()) return internal;
    const auto mapped =
        address::map_address(with.generic, internal, with.propagate_extensions, mail_.rewrite(), with.token_limit);
    for (const std::string& each : mapped.match.result.warnings) mail_.warn(account_.agent(), each);
    if (mapped.match.failed())
        throw delivery::agent_died{fmt::format("{} map lookup problem for {}", with.generic.title(), internal)};
    if (mapped.addresses.empty()) return internal;
    if (mapped.addresses.size() > 1)
        mail_.warn(account_.agent(), fmt::format("multi-valued {} result for {}", with.generic.title(), internal));
    return mapped.addresses.front();
}

bool session::downgrades() const {
    return settings_.outgoing.converts_eight_bit && !has(feature::eight_bit_mime) &&
           account_.about().file->encoding != "7bit";
}

std::string session::path(const std::string& address) {
    const std::string shown = generic_address(address);
    return settings_.quotes_envelope ? address::path_821(shown) : shown;
}

std::string session::mail_command() {
    const queue::queue_file& file = *account_.about().file;
    std::string line = fmt::format("MAIL FROM:<{}>", path(account_.about().sender()));
    if (has(feature::size) && !downgrades()) line += fmt::format(" SIZE={}", file.size);
    if (has(feature::eight_bit_mime)) {
        if (file.encoding == "8bit") line += " BODY=8BITMIME";
        if (file.encoding == "7bit") line += " BODY=7BIT";
    }
    if (has(feature::smtputf8) && file.smtputf8) line += " SMTPUTF8";
    if (has(feature::dsn)) {
        if (!file.envelope_id.empty()) line += " ENVID=" + address::xtext_encode(file.envelope_id, "+=");
        if (file.returns == queue::return_content::full) line += " RET=FULL";
        if (file.returns == queue::return_content::headers) line += " RET=HDRS";
    }
    if (settings_.dummy_mail_auth && settings_.sasl.enabled && has(feature::auth)) line += " AUTH=<>";
    return line;
}

std::string session::rcpt_command(const delivery::target& to) {
    const queue::recipient& who = account_.about().recipient(to);
    std::string line = fmt::format("RCPT TO:<{}>", path(to.address));
    if (has(feature::dsn)) {
        if (!who.dsn_original.empty()) {
            const auto semicolon = who.dsn_original.find(';');
            const std::string_view original = std::string_view(who.dsn_original).substr(semicolon + 1);
            const bool beyond_ascii = text::starts_with_ignoring_case(who.dsn_original, "utf-8;");
            line += " ORCPT=" + who.dsn_original.substr(0, semicolon + 1) +
                    (beyond_ascii ? address::uxtext_encode(original, "+=") : address::xtext_encode(original, "+="));
        }
        if (who.notify != 0) line += " NOTIFY=" + notify_text(who.notify);
    }
    return line;
}

std::vector<session::command> session::envelope_commands() {
    std::vector<command> out;
    if (settings_.sends_xforward) add_forwarding(out);
    out.push_back({transaction_step::mail, 0, mail_command()});
    for (std::size_t i = 0; i < open_.size(); ++i) out.push_back({transaction_step::rcpt, i, rcpt_command(open_[i])});
    if (!ends_after_rcpt()) out.push_back({transaction_step::data, 0, "DATA"});
    return out;
}

task<void> session::send_message() {
    const queue::queue_file& file = *account_.about().file;
    account_.mark_connected(mail_.now());
    fates_.assign(open_.size(), fate::open);
    if (link_->size_limit > 0 && static_cast<std::int64_t>(file.size) > link_->size_limit) {
        queue::delivery_status status("5.3.4", fmt::format("message size {} exceeds size limit {} of server {}",
                                                           file.size, link_->size_limit, name_));
        settle_open(status, false);
        // Judged outside the dialogue proper, which is why the connection then closes without QUIT.
        parts_silently_ = true;
    } else {
        // From here on it is the message, not the destination, that fails.
        account_.about().reached_destination = true;
        co_await transact();
    }
    sweep();
}

task<void> session::transact() {
    in_transaction_ = true;
    past_mail_ = false;
    mail_accepted_ = false;
    accepted_ = 0;
    const std::vector<command> commands = envelope_commands();
    data_answer answer;
    if (has(feature::pipelining)) {
        answer = co_await send_envelope_at_once(commands);
    } else {
        answer = co_await send_envelope(commands);
    }
    if (answer == data_answer::go_ahead && account_.is_probe()) {
        broken_ = true;  // it has found out what it wanted, and leaves without a word
    } else if (answer == data_answer::go_ahead && accepted_ > 0) {
        co_await send_content();
    } else if (answer == data_answer::go_ahead) {
        // The server waits for a message that has nobody to go to: it ends at once.
        doing_ = "sending end of data -- message may be sent more than once";
        reply ignored;
        co_await exchange(".", ignored, settings_.data_done_timeout);
    } else if (!broken_) {
        doing_ = "sending final RSET";
        past_mail_ = true;
        reply ignored;
        co_await exchange("RSET", ignored, settings_.rset_timeout);
    }
    in_transaction_ = false;
}

duration session::timeout_of(transaction_step step) const {
    switch (step) {
        case transaction_step::forward_name:
        case transaction_step::forward_protocol:
            return settings_.xforward_timeout;
        case transaction_step::mail:
            return settings_.mail_timeout;
        case transaction_step::rcpt:
            return settings_.rcpt_timeout;
        case transaction_step::data:
            break;
    }
    return settings_.data_init_timeout;
}

task<session::data_answer> session::send_envelope(const std::vector<command>& commands) {
    reply answer;
    for (const command& each : commands) {
        const bool hopeless = each.step == transaction_step::rcpt   ? !mail_accepted_
                              : each.step == transaction_step::data ? accepted_ == 0
                                                                    : false;
        if (hopeless) co_return data_answer::no;
        doing_ = words_of(each.step).doing;
        const duration timeout = timeout_of(each.step);
        const bool answered = co_await exchange(each.line, answer, timeout);
        if (!answered) co_return data_answer::no;
        take_reply(each, answer);
    }
    co_return answer.intermediate() ? data_answer::go_ahead : data_answer::no;
}

task<session::data_answer> session::send_envelope_at_once(const std::vector<command>& commands) {
    for (const command& each : commands) put_command(each.line);
    doing_ = words_of(commands.front().step).doing;
    const duration patience = timeout_of(commands.front().step);
    const io_error error = co_await stream_.flush(patience);
    if (error != io_error::none) {
        stream_failed(error);
        co_return data_answer::no;
    }
    reply answer;
    for (const command& each : commands) {
        doing_ = words_of(each.step).doing;
        const duration timeout = timeout_of(each.step);
        const bool answered = co_await read_reply(answer, timeout);
        if (!answered) co_return data_answer::no;
        take_reply(each, answer);
    }
    co_return answer.intermediate() ? data_answer::go_ahead : data_answer::no;
}

bool session::ends_after_rcpt() const {
    return account_.is_probe() && !settings_.probes_data;
}

void session::settle_probe(std::size_t index, const reply& answer) {
    queue::delivery_status status(answer.dsn.starts_with('2') ? answer.dsn : "2.0.0", answer.one_line());
    status.remote_mta = host_.name;
    status.diagnostic_type = "smtp";
    status.diagnostic = answer.one_line();
    fates_[index] = fate::settled;
    account_.sent(open_[index], relay_, status);
}

// Any 2xx is a yes, and only 3xx after DATA is a go-ahead; what else comes is the server's refusal or its mistake.
void session::take_reply(const command& to, const reply& answer) {
    const char* named = words_of(to.step).command;
    switch (to.step) {
        case transaction_step::forward_name:
        case transaction_step::forward_protocol:
            // Whatever the server makes of it, the message goes on.
            if (!answer.positive())
                mail_.warn(account_.agent(),
                           fmt::format("host {} said: {} (in reply to {})", relay_, answer.one_line(), named));
            return;
        case transaction_step::mail:
            mail_accepted_ = answer.positive();
            if (!mail_accepted_) message_refused(answer, named);
            return;
        case transaction_step::rcpt:
            if (!mail_accepted_) return;
            if (answer.positive()) {
                ++accepted_;
                if (ends_after_rcpt()) settle_probe(to.recipient, answer);
            } else {
                recipient_refused(to.recipient, answer, named);
            }
            return;
        case transaction_step::data:
            if (answer.intermediate() && account_.is_probe()) {
                for (std::size_t i = 0; i < open_.size(); ++i) {
                    if (fates_[i] == fate::open) settle_probe(i, answer);
                }
            }
            if (answer.intermediate()) return;
            if (accepted_ > 0) message_refused(answer, named);
            accepted_ = 0;
            return;
    }
}

}  // namespace mta::smtp
