// mta/smtp/connection.hpp - one connection to a server and what its greeting and EHLO told (smtp_session.c).
//
// Outlives the delivery request that made it when it is kept for the next message to the same destination.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "mta/smtp/next_hop.hpp"
#include "mta/stream/smtp_stream.hpp"

namespace mta::smtp {

enum class feature : unsigned {
    esmtp = 1,
    pipelining = 2,
    size = 4,
    starttls = 8,
    eight_bit_mime = 16,
    dsn = 32,
    smtputf8 = 64,
    auth = 128,
    chunking = 256
};

struct connection {
    connection(std::unique_ptr<byte_stream> lower, scheduler& clock, candidate to, std::uint16_t at_port);

    smtp_stream stream;
    std::uint64_t number;  // in the record
    candidate host;
    std::uint16_t port;
    std::string name;   // "mail.ohio.cc[192.168.137.9]"
    std::string relay;  // with ":25"
    unsigned features = 0;
    std::int64_t size_limit = 0;
    std::vector<std::string> forwarded;  // what the server takes of XFORWARD
    std::string mechanisms;              // of AUTH, as far as the filter lets them through
    bool best_host = false;              // of the destination's most preferred ones
    bool in_tls = false;
    bool certificate_matched = false;
    bool delays_final_dot = false;  // a PIX firewall that chokes on it (smtp_pix_workarounds)
    std::uint32_t uses = 1;         // messages, for conn_use=
    time_point reuse_until{};       // when it is too old for another message; the epoch: never another
};

}  // namespace mta::smtp
