// Two ends that meet over a loopback wire: what most TLS tests need.
#pragma once
#include <exception>
#include <utility>

#include "mta/tls/tls_stream.hpp"
#include "tests/mta/tls/certificates.hpp"
#include "tests/mta/tls/loopback.hpp"

namespace mta::tls::test {

inline constexpr const char* server_name = "mail.york.cc[192.168.137.5]:25";
inline constexpr const char* client_name = "smtp.6circles.cc[192.168.137.4]";

struct session {
    explicit session(std::uint64_t seed = 1, time_point now = epoch + std::chrono::hours(1))
        : clock(now),
          ends(clock),
          client_random(seed),
          server_random(seed + 1000),
          from_client(server_name, now, now + std::chrono::minutes(5), client_random),
          from_server(client_name, now, now + std::chrono::minutes(5), server_random) {}

    void start(const std::shared_ptr<const context>& client, const std::shared_ptr<const context>& server) {
        work.start(run_client(client));
        work.start(run_server(server));
    }
    void start(const context_settings& client, const context_settings& server) {
        const auto one = context::make(client, problems);
        const auto other = context::make(server, problems);
        start(one, other);
    }
    void shake(const context_settings& client, const context_settings& server) {
        start(client, server);
        clock.run();
    }

    task<void> run_client(std::shared_ptr<const context> with) {
        at_client = co_await connect(std::move(ends.client), with, from_client);
        client_done = true;
    }
    task<void> run_server(std::shared_ptr<const context> with) {
        at_server = co_await accept(std::move(ends.server), with, from_server);
        server_done = true;
    }

    loop clock;
    wire ends;
    tests::seeded_random client_random, server_random;
    connect_options from_client;
    accept_options from_server;
    std::vector<log_line> problems;
    handshake_result at_client, at_server;
    bool client_done = false, server_done = false;
    nursery work{[](std::exception_ptr error) { std::rethrow_exception(error); }};
};

// "warning: " and the text, a line each.
inline std::string logged(const std::vector<log_line>& lines) {
    std::string all;
    for (const auto& line : lines) all += (line.warning ? "warning: " : "") + line.text + "\n";
    return all;
}

}  // namespace mta::tls::test
