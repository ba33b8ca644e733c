// sim/scenario/policy_server.hpp - a policy server for check_policy_service: greylisting, or fixed rules
// (SMTPD_POLICY_README; greylisting as postgrey does it).
//
// A request is name=value lines up to an empty one, and gets `action=...` and an empty line. A greylist puts off a
// client network that it has not seen with this sender and recipient until some time has passed. Requests are bounded;
// what is longer, or no request, ends the connection. The decision is apart from the wire, and has no clock.
#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "mta/host.hpp"
#include "sim/topology/model.hpp"

namespace sim::scenario {

using policy_request = std::map<std::string, std::string, std::less<>>;

// Takes lines without their ends; nothing until the empty one. `bad` is final.
class policy_request_parser {
  public:
    enum class state : std::uint8_t { open, complete, bad };
    state add(std::string_view line);
    policy_request take();

  private:
    policy_request request_;
    std::size_t lines_ = 0;
};

class policy_mind {
  public:
    explicit policy_mind(topology::policy rules) : rules_(std::move(rules)) {}
    std::string decide(const policy_request& request, mta::time_point now);

  private:
    struct triplet {
        mta::time_point first{}, last{};
        bool passed = false;
    };
    struct trusted {
        std::uint32_t count = 0;
        mta::time_point last{};
    };
    std::string put_off(const topology::greylist& by, const policy_request& request, mta::time_point now);
    topology::policy rules_;
    std::map<std::string, triplet, std::less<>> triplets_;
    std::map<std::string, trusted, std::less<>> clients_;
};

class policy_server {
  public:
    // Listens nowhere yet; `machine` outlives it.
    policy_server(mta::Host& machine, const mta::endpoint& at, const topology::policy& rules);
    policy_server(const policy_server&) = delete;
    policy_server& operator=(const policy_server&) = delete;
    ~policy_server();

    // What it remembers stays while it is down. False when the port is taken.
    bool start();
    void stop();

  private:
    struct opened;
    mta::task<void> serve(std::unique_ptr<mta::byte_stream> stream);
    mta::Host& machine_;
    mta::endpoint at_;
    policy_mind mind_;
    std::unique_ptr<opened> opened_;
};

}  // namespace sim::scenario
