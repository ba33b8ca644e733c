// mta/smtp/session_sasl.cpp - AUTH at the client's end (RFC 4954, smtp_sasl_proto.c, smtp_sasl_glue.c). Who has a
// password for a server must log in: a failure there is one of the whole session.
#include <fmt/format.h>

#include "mta/master/mail_system.hpp"
#include "mta/smtp/session.hpp"
#include "mta/text/strings.hpp"

namespace mta::smtp {
namespace {

constexpr int steps_limit = 100;  // of one exchange

// What follows the code of a reply, as far as it is one word.
std::string_view challenge_of(const reply& answer) {
    const auto words = text::split(answer.text, "- \t\n");
    const std::size_t code = 3;
    if (words.size() < 2 || answer.text.size() <= code + 1) return {};
    return text::trimmed(std::string_view(answer.text).substr(code + 1));
}

}  // namespace

// A server may offer mechanisms more than once, and the old "AUTH=" form beside the new one.
void session::offered_mechanisms(std::string_view words) {
    const std::string usable = settings_.sasl.usable(words);
    set(feature::auth);
    if (!link_->mechanisms.empty()) {
        if (!usable.empty() && !text::equal_ignoring_case(usable, link_->mechanisms)) link_->mechanisms += " " + usable;
        return;
    }
    link_->mechanisms = usable;
    if (!usable.empty()) return;
    warn(words.empty() ? fmt::format("{} offered null AUTH mechanism list", relay_)
                       : fmt::format("{} offered no supported AUTH mechanisms: '{}'", relay_, words));
}

std::optional<sasl::credentials> session::find_credentials(bool& failed) const {
    return settings_.sasl.find(account_.about().sender(), host_.name, destination_.as_written, failed);
}

task<bool> session::log_in() {
    bool failed = false;
    std::optional<sasl::credentials> who = find_credentials(failed);
    if (failed) {
        mail_.warn(account_.agent(), fmt::format("{} lookup error", settings_.sasl.passwords.title()),
                   account_.about().file->id);
        site_failed({"4.3.0", fmt::format("local data error while talking to {}", name_)});
        co_return false;
    }
    if (!who) {
        clear(feature::auth);
        co_return true;
    }
    if (link_->mechanisms.empty()) {
        site_failed({"4.7.0", fmt::format("SASL authentication failed: server {} offered no compatible authentication "
                                          "mechanisms for this type of connection security",
                                          name_)});
        co_return false;
    }
    if (refused_before(*who)) co_return false;
    who->random = &mail_.host().random("sasl-client");
    const sasl::credentials& known = *who;
    co_return co_await authenticate(known);
}

unsigned session::required_of_mechanism() const {
    const std::string& text = !link_->in_tls               ? settings_.sasl.options
                              : link_->certificate_matched ? settings_.sasl.verified_tls_options
                                                           : settings_.sasl.tls_options;
    unsigned required = 0;
    std::string unknown;
    if (sasl::parse_requirements(text, required, unknown)) return required;
    warn(fmt::format("unknown SASL security options value \"{}\" in \"{}\"", unknown, text));
    warn("bad per-session SASL security properties");
    throw delivery::agent_died{"SASL per-connection initialization failed"};
}

void session::cannot_authenticate(std::string_view why) {
    queue::delivery_status status(
        "4.7.0", fmt::format("SASL authentication failed; cannot authenticate to server {}: {}", name_, why));
    status.diagnostic_type = "X-Postfix-SASL";
    status.diagnostic = why;
    site_failed(std::move(status));
}

task<bool> session::authenticate(const sasl::credentials& who) {
    const auto exchange_of_words = sasl::choose(link_->mechanisms, required_of_mechanism(), who);
    if (!exchange_of_words) {
        warn("SASL authentication failure: No worthy mechs found");
        cannot_authenticate(sasl::describe(sasl::code::no_mechanism));
        co_return false;
    }
    std::string line = "AUTH " + std::string(exchange_of_words->mechanism());
    const std::string initial = exchange_of_words->initial();
    if (!initial.empty()) line += " " + sasl::encode_base64(initial);
    reply answer;
    for (int step = 0; step < steps_limit; ++step) {
        const bool answered = co_await exchange(std::move(line), answer, settings_.helo_timeout);
        if (!answered) co_return false;
        if (answer.positive()) co_return true;
        if (!answer.intermediate()) co_return login_refused(who, answer);
        const sasl::decoded challenge = sasl::decode_base64(challenge_of(answer));
        sasl::response said;
        said.result = challenge.result;
        if (challenge.result == sasl::code::ok) said = exchange_of_words->next(challenge.bytes);
        for (const std::string& each : said.warnings) warn(each);
        if (said.result != sasl::code::ok) {
            cannot_authenticate(sasl::describe(said.result));
            co_return false;
        }
        line = sasl::encode_base64(said.text);
    }
    site_failed(
        {"4.3.0", fmt::format("SASL authentication failed; authentication protocol loop with server {}", name_)});
    co_return false;
}

// smtp_sasl_auth_cache_name: a server that refused this very login is not asked again for a while.
bool session::refused_before(const sasl::credentials& who) {
    if (!settings_.sasl.remembers_failures) return false;
    const login_failures::entry* const known = failed_logins_.find(host_.name, who, mail_.now());
    if (!known) return false;
    queue::delivery_status status(
        known->dsn, fmt::format("SASL [CACHED] authentication failed; server {} said: {}", host_.name, known->text));
    if (settings_.sasl.soft_bounce && status.dsn[0] == '5') status.dsn[0] = '4';
    status.remote_mta = host_.name;
    status.diagnostic_type = "smtp";
    status.diagnostic = known->text;
    site_failed(std::move(status));
    return true;
}

// Always false: what the caller of it has to say.
bool session::login_refused(const sasl::credentials& who, const reply& answer) {
    const bool for_good = answer.code / 100 == 5;
    if (for_good && settings_.sasl.remembers_failures) {
        failed_logins_.remember(host_.name, who,
                                {who.password, answer.dsn, answer.text, mail_.now() + settings_.sasl.memory});
    }
    queue::delivery_status status =
        status_of(answer, fmt::format("SASL authentication failed; server {} said: {}", name_, answer.one_line()));
    if (for_good && settings_.sasl.soft_bounce) status.dsn[0] = '4';
    site_failed(std::move(status));
    return false;
}

}  // namespace mta::smtp
