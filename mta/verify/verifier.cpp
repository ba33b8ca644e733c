#include "mta/verify/verifier.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "mta/cleanup/cleanup.hpp"
#include "mta/config/parameters.hpp"
#include "mta/master/mail_system.hpp"
#include "mta/text/strings.hpp"

namespace mta::verify {
namespace {

// The digits of safe_ultostr(3): no vowels, so that no number is a word.
constexpr std::string_view digits = "0123456789BCDFGHJKLMNPQRSTVWXYZ";

std::string in_base_31(std::int64_t number) {
    const auto base = static_cast<std::int64_t>(digits.size());
    std::string out;
    do {
        out += digits[static_cast<std::size_t>(number % base)];
        number /= base;
    } while (number > 0);
    std::reverse(out.begin(), out.end());
    return out;
}

}  // namespace

probe_sender::probe_sender(const config::parameters& p) : lifetime_(p.duration("address_verify_sender_ttl")) {
    const std::string given = p.text("address_verify_sender");
    if (given.empty() || given == "<>") return;
    if (given.front() == '@') {
        throw config::fatal(
            p.where("address_verify_sender"),
            fmt::format("parameter address_verify_sender: value \"{}\" must not start with '@'", given));
    }
    address_ = given.find('@') == std::string::npos ? given + "@" + p.text("myorigin") : given;
}

std::string probe_sender::with_epoch(std::int64_t epoch) const {
    std::string out = address_;
    return out.insert(std::min(out.rfind('@'), out.size()), in_base_31(epoch));
}

std::string probe_sender::at(time_point now) const {
    return changes() ? with_epoch(now.time_since_epoch() / lifetime_) : address_;
}

bool probe_sender::is_recent(std::string_view address, time_point now) const {
    if (!changes()) return false;
    const std::int64_t epoch = now.time_since_epoch() / lifetime_;
    for (const std::int64_t each : {epoch, epoch - 1, epoch + 1}) {
        if (text::equal_ignoring_case(address, with_epoch(std::max<std::int64_t>(each, 0)))) return true;
    }
    return false;
}

struct verifier::settings {
    cache_settings cache;
    std::string myhostname, mail_name, map;
    duration cleanup_interval, idle;
    probe_sender sender;
    bool detects_utf8 = false;

    explicit settings(const config::parameters& p)
        : myhostname(p.text("myhostname")),
          mail_name(p.text("mail_name")),
          map(p.text("address_verify_map")),
          cleanup_interval(p.duration("address_verify_cache_cleanup_interval")),
          idle(p.duration("max_idle") + p.duration("ipc_idle")),
          sender(p) {
        cache.positive_expire = p.duration("address_verify_positive_expire_time");
        cache.positive_refresh = p.duration("address_verify_positive_refresh_time");
        cache.negative_expire = p.duration("address_verify_negative_expire_time");
        cache.negative_refresh = p.duration("address_verify_negative_refresh_time");
        cache.keeps_negative = p.flag("address_verify_negative_cache");
        for (const std::string& each : p.words("smtputf8_autodetect_classes")) {
            detects_utf8 =
                detects_utf8 || text::equal_ignoring_case(each, "verify") || text::equal_ignoring_case(each, "all");
        }
        detects_utf8 = detects_utf8 && p.flag("smtputf8_enable");
    }
};

verifier::verifier(master::mail_system& mail, cache& memory)
    : mail_(mail),
      memory_(memory),
      changing_sender_(mail.parameters().duration("address_verify_sender_ttl").count() > 0) {
    cleaning_.owner = this;
    if (mail.parameters().text("address_verify_map").empty()) memory_.clear();
}
verifier::~verifier() = default;

bool verifier::start() {
    if (settings_) return true;
    if (mail_.now() < throttled_until_) return false;
    const master::daemon* service = mail_.transport("verify");
    try {
        const config::parameters& p = service ? *service->parameters : mail_.parameters();
        settings_ = std::make_unique<const settings>(p);
    } catch (const config::fatal& e) {
        if (service) mail_.daemon_failed(*service, mail_.process_of("verify"), e);
        throttled_until_ = mail_.now() + mail_.parameters().duration("service_throttle_time");
        return false;
    }
    return true;
}

// A process that nobody asks ends, and the next one begins by looking whether its cache wants cleaning.
void verifier::run() {
    const bool just_started = mail_.now() >= alive_until_;
    alive_until_ = mail_.now() + settings_->idle;
    if (settings_->cleanup_interval.count() == 0 || (!just_started && cleaning_.armed())) return;
    const time_point due =
        memory_.last_cleaned == time_point{} ? mail_.now() : memory_.last_cleaned + settings_->cleanup_interval;
    if (due <= mail_.now()) {
        cleaning_.expired();
    } else if (due < alive_until_) {
        mail_.clock().arm(cleaning_, due);
    }
}

void verifier::cleanup_timer::expired() {
    verifier& of = *owner;
    if (of.mail_.now() >= of.alive_until_) return;
    const cache::cleaned done = of.memory_.clean(of.mail_.now(), of.settings_->cache);
    const std::string& map = of.settings_->map;
    const std::string line = fmt::format("cache {} full cleanup: retained={} dropped={} entries",
                                         map.empty() ? "internal:verify" : map, done.retained, done.dropped);
    of.mail_.log(of.mail_.process_of("verify"), {}, maillog::remark{maillog::level::info, line});
    const time_point next = of.mail_.now() + of.settings_->cleanup_interval;
    if (next < of.alive_until_) of.mail_.clock().arm(*this, next);
}

std::optional<answer> verifier::ask(const std::string& address) {
    if (!start()) return std::nullopt;
    run();
    cache::finding found = memory_.ask(address, mail_.now(), settings_->cache);
    if (found.wants_probe) send_probe(address);
    return std::move(found.told);
}

std::string verifier::without_epoch(std::string recipient) {
    if (!changing_sender_ || recipient.empty() || !start()) return recipient;
    return settings_->sender.is_recent(recipient, mail_.now()) ? settings_->sender.plain() : recipient;
}

bool verifier::learn(std::string_view original, std::string_view address, verdict found, std::string_view text) {
    if (!start()) return false;
    run();
    if (found != verdict::deliverable && !settings_->cache.keeps_negative) return false;
    if (!original.empty()) memory_.learn(original, found, text, mail_.now(), settings_->cache);
    if (original != address) memory_.learn(address, found, text, mail_.now(), settings_->cache);
    return true;
}

void verifier::send_probe(const std::string& address) {
    cleanup::incoming message;
    message.source = cleanup::source::internal;
    message.detects_utf8 = settings_->detects_utf8;
    queue::queue_file& envelope = message.envelope;
    envelope.arrived = mail_.now();
    envelope.id = mail_.new_queue_id(envelope.arrived);
    envelope.sender = settings_->sender.at(mail_.now());
    envelope.trace = queue::tracing::verification;
    queue::recipient to;
    to.address = address;
    envelope.recipients.push_back(std::move(to));
    const std::string date = text::mail_date(envelope.arrived, mail_.host().time_zone());
    message.content = fmt::format("Received: by {} ({})\n\tid {}; {}\nDate: {}\n", settings_->myhostname,
                                  settings_->mail_name, envelope.id, date, date);
    mail_.cleanup().take(std::move(message));
}

}  // namespace mta::verify
