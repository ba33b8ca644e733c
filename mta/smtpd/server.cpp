#include "mta/smtpd/server.hpp"

#include <fmt/format.h>

#include <array>

#include "mta/address/trivial_rewrite.hpp"
#include "mta/config/parameters.hpp"
#include "mta/master/mail_system.hpp"
#include "mta/smtpd/session.hpp"
#include "mta/table/source_text.hpp"

namespace mta::smtpd {

server::server(master::mail_system& mail, master::daemon& service)
    : mail_(mail), service_(service), settings_(mail, service), access_(mail, service) {}
server::~server() = default;

anvil::counters& server::traffic() {
    return mail_.anvil();
}

void server::introduce(const maillog::process& by) {
    if (!introduced_.insert(by.pid).second) return;
    if (settings_.tls_requires_in_vain) mail_.warn(by, "Can't require client certs unless TLS is required");
    if (settings_.tls_lacks_certificates) mail_.warn(by, "No server certs available. TLS won't be enabled");
}

std::uint16_t server::port() const {
    return service_.service.port;
}

address::command_rules server::grammar(keyword_set discarded) {
    address::command_rules rules;
    rules.strict_rfc821_envelopes = settings_.strict_envelopes;
    rules.smtputf8_enable = settings_.smtputf8;
    rules.smtputf8 = settings_.smtputf8 && !(discarded & bit(keyword::smtputf8));
    rules.dsn = !(discarded & bit(keyword::dsn));
    rules.resolve = [this](std::string_view internal) -> std::optional<std::string> {
        const auto to = mail_.rewrite().resolve_folded("", internal);
        if (to->flags.error) return std::nullopt;
        return to->recipient;
    };
    return rules;
}

std::optional<keyword_set> server::discarded_for(const std::string& address, std::vector<std::string>& warnings) const {
    const table::match own = settings_.discarded_keywords_by_address.find(address);
    if (own.found()) return parse_keywords(own.result.value);
    if (!own.result.failed()) return settings_.discarded_keywords;
    warnings.insert(warnings.end(), own.result.warnings.begin(), own.result.warnings.end());
    return std::nullopt;
}

cleanup::local_clients::answer server::rewrites_headers_for(const access_facts& known,
                                                            std::vector<std::string>& warnings) const {
    cleanup::local_clients::client who;
    who.name = known.client->name;
    who.address = known.client->address;
    who.connected_from = known.connected_from;
    who.authenticated = known.sasl_active && !known.sasl_username.empty();
    if (known.tls && known.certificate.present) {
        who.certified = known.certificate.trusted;
        who.fingerprint = known.certificate.fingerprint;
        who.public_key_fingerprint = known.certificate.public_key_fingerprint;
    }
    return settings_.local_clients->covers(who, warnings);
}

bool server::must_declare_utf8(std::string_view address, bool declared) const {
    return settings_.strict_smtputf8 && !declared && !table::is_ascii(address);
}

std::optional<std::uint64_t> server::too_little_space() {
    const std::uint64_t free = mail_.host().queue_files().free_bytes();
    const auto bytes = static_cast<double>(free);
    const bool under_floor = settings_.minimum_free > 0 && bytes < static_cast<double>(settings_.minimum_free);
    const bool narrow =
        settings_.message_size_limit > 0 && bytes < 1.5 * static_cast<double>(settings_.message_size_limit);
    if (!under_floor && !narrow) return std::nullopt;
    return free;
}

bool server::filter(std::string& command, const peer& client, const maillog::process& by) {
    if (!settings_.command_filter) return true;
    std::string_view key = command;
    while (!key.empty() && (key.front() == ' ' || key.front() == '\t')) key.remove_prefix(1);
    const table::lookup_result found = settings_.command_filter->lookup(key);
    for (const std::string& each : found.warnings) mail_.warn(by, each);
    if (found.failed()) {
        mail_.warn(by, fmt::format("{} lookup error for \"{:.100}\"", settings_.command_filter->type_and_name(), key));
        return false;
    }
    if (!found.found()) return true;
    mail_.log(by, {},
              maillog::remark{maillog::level::info, fmt::format("{}: replacing command \"{:.100}\" with \"{:.100}\"",
                                                                client.name_and_address(), command, found.value)});
    command = found.value;
    return true;
}

void server::accept(std::unique_ptr<byte_stream> stream, const endpoint& local, const endpoint& remote) {
    mail_.tasks().start(serve(std::move(stream), local, remote));
}

// What master(8) says of a process that ended badly, and does when it never served a client to the end: no other for a
// minute (service_throttle_time).
void server::bury(master::process_pool::lease& process, std::string_view how) {
    constexpr std::string_view program = "/usr/lib/postfix/sbin/smtpd";
    const maillog::process& master = mail_.process_of("master");
    mail_.warn(master, fmt::format("process {} pid {} {}", program, process.process().pid, how));
    const bool proven = process.used_before();
    process.end_process();
    if (proven) return;
    mail_.warn(master, fmt::format("{}: bad command startup -- throttling", program));
    throttled_until_ = mail_.now() + service_.parameters->duration("service_throttle_time");
}

// A client of a service that is throttled waits; false when it gave up.
task<bool> server::hold_back(byte_stream& stream) {
    std::array<char, 512> unheard;
    while (mail_.now() < throttled_until_) {
        const std::span<char> into(unheard);
        const time_point until = throttled_until_;
        const io_result got = co_await read_some(stream, into, until);
        if (!got.ok() && got.error != io_error::timed_out) co_return false;
    }
    co_return true;
}

task<void> server::serve(std::unique_ptr<byte_stream> stream, endpoint local, endpoint remote) {
    for (;;) {
        if (mail_.now() < throttled_until_) {
            const bool still_there = co_await hold_back(*stream);
            if (!still_there) co_return;
        }
        // A connection beyond the process limit waits in the listen queue until a process is free.
        auto process = co_await service_.processes.wait_for_one(mail_.clock());
        if (access_.fatal().empty()) {
            session conversation(*this, process.process(), std::move(stream), local, remote);
            co_await conversation.run();
            if (const char* death = conversation.death()) bury(process, death);
            co_return;
        }
        access_.introduce(settings_.greetings, process.process());
        mail_.log(process.process(), {}, maillog::remark{maillog::level::fatal, access_.fatal()});
        bury(process, "exit status 1");
    }
}

}  // namespace mta::smtpd
