#include "mta/smtp/connection.hpp"

#include <fmt/format.h>

namespace mta::smtp {

connection::connection(std::unique_ptr<byte_stream> lower, scheduler& clock, candidate to, std::uint16_t at_port)
    : stream(std::move(lower), clock),
      number(stream.lower().connection()),
      host(std::move(to)),
      port(at_port),
      name(fmt::format("{}[{}]", host.name, host.address)),
      relay(fmt::format("{}:{}", name, port)) {}

}  // namespace mta::smtp
