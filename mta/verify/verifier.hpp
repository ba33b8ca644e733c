// mta/verify/verifier.hpp - does an address exist? Asks by probes, and remembers the answers (verify(8),
// ADDRESS_VERIFICATION_README).
//
// A probe is a message of the mail system's own that goes through the queue like any other, until a delivery agent
// knows whether it could deliver it: then the agent reports here, and the message is gone. Who asks gets what is known
// now; smtpd asks again after a while. What the map on disk knows outlives a restart; a map without a name does not.
#pragma once
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "mta/verify/cache.hpp"

namespace mta::config {
class parameters;
}
namespace mta::master {
class mail_system;
}

namespace mta::verify {

// The address that probes are sent from (verify_sender_addr(3)): with a time limit, one that changes with time, so that
// nobody sends mail to it for long.
class probe_sender {
  public:
    // Throws config::fatal.
    explicit probe_sender(const config::parameters& parameters);
    std::string at(time_point now) const;  // "" for the null sender
    // True for an address that is or was one of these not longer ago than its time limit: mail to it is mail to the
    // address without its changing part, which is `plain()`.
    bool is_recent(std::string_view address, time_point now) const;
    const std::string& plain() const { return address_; }
    bool changes() const { return lifetime_.count() > 0 && !address_.empty(); }

  private:
    std::string with_epoch(std::int64_t epoch) const;
    std::string address_;
    duration lifetime_{};
};

class verifier {
  public:
    // `memory` is the database of the machine's own, which other verifiers had before.
    verifier(master::mail_system& mail, cache& memory);
    ~verifier();

    // Nothing: the service cannot start, and has said so in the log.
    std::optional<answer> ask(const std::string& address);
    // A recipient as it was given; without the changing part when it is a sender of our probes
    // (address_verify_sender_ttl).
    std::string without_epoch(std::string recipient);
    // An agent's report: of the address as it was asked for, and as it was delivered to. False: it is not kept.
    bool learn(std::string_view original, std::string_view address, verdict found, std::string_view text);

  private:
    struct settings;
    bool start();
    void run();
    void send_probe(const std::string& address);

    struct cleanup_timer final : timer {
        verifier* owner = nullptr;
        void expired() override;
    };
    master::mail_system& mail_;
    cache& memory_;
    std::unique_ptr<const settings> settings_;
    bool changing_sender_;
    time_point alive_until_{}, throttled_until_{};
    cleanup_timer cleaning_;
};

}  // namespace mta::verify
