// tests/sim/record/seed_chain.hpp - entries to feed the record with: builders, and the chain of three hosts as Postfix
// logged it.
#pragma once
#include <array>
#include <functional>
#include <string>
#include <string_view>

#include "mta/maillog/event.hpp"

namespace sim::record::samples {

using sink = std::function<void(std::string_view host, const mta::maillog::entry&)>;

// Nov 20 2026 14:28:06 UTC, plus microseconds.
inline mta::time_point at(std::int64_t microseconds) {
    using namespace std::chrono;
    return sys_days(year(2026) / November / 20) + hours(14) + minutes(28) + seconds(6) +
           std::chrono::microseconds(microseconds);
}

// Says things in the name of one host.
class speaker {
  public:
    speaker(sink to, std::string host) : to_(std::move(to)), host_(std::move(host)) {}
    void operator()(std::int64_t when_us, const char* tag, int pid, std::string_view queue_id, mta::maillog::event what,
                    std::uint64_t connection = 0) const {
        const mta::maillog::process by{tag, pid};
        to_(host_, {at(when_us), by, queue_id, connection, std::move(what)});
    }

  private:
    sink to_;
    std::string host_;
};

struct hand_over {
    std::string_view recipient, relay;
    std::array<std::int64_t, 5> moments_us;  // arrived, active, agent started, connected, done
    std::string_view text;
    std::string_view status = "sent";
    std::string_view dsn = "2.0.0";
    std::string_view original_recipient = "";
};

inline mta::maillog::delivery delivery(const hand_over& from) {
    mta::maillog::delivery e;
    e.recipient = from.recipient;
    e.original_recipient = from.original_recipient.empty() ? from.recipient : from.original_recipient;
    e.relay = from.relay;
    e.arrived = at(from.moments_us[0]);
    e.active = at(from.moments_us[1]);
    e.agent_started = at(from.moments_us[2]);
    e.connected = at(from.moments_us[3]);
    e.done = at(from.moments_us[4]);
    e.dsn = from.dsn;
    e.status = from.status;
    e.text = from.text;
    return e;
}

inline mta::maillog::tls_established tls(bool at_client, std::string_view peer) {
    mta::maillog::tls_established e;
    e.at_client = at_client;
    e.trust = "Anonymous";
    e.peer = peer;
    e.protocol = "TLSv1.3";
    e.cipher = "TLS_AES_256_GCM_SHA384";
    e.cipher_bits = e.algorithm_bits = 256;
    return e;
}

inline constexpr std::string_view smtp_host = "smtp.6circles.cc", ohio_host = "mail.ohio.cc",
                                  york_host = "mail.york.cc";

// MTA1 filters and hands on to an open relay, which finds the MX and delivers to MTA3, all over STARTTLS.
void play_seed_chain(const sink& to);
// What Postfix 3.7.11 logged of it.
std::string_view seed_chain_log(std::string_view host);
// The message as it lay in kimchen's mailbox.
extern const std::string_view delivered_message;

}  // namespace sim::record::samples
