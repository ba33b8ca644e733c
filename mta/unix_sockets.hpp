// mta/unix_sockets.hpp - what a Host may have besides: programs that listen on UNIX-domain sockets.
#pragma once
#include <optional>
#include <string_view>

#include "mta/host.hpp"

namespace mta {

class unix_sockets {
  public:
    virtual ~unix_sockets() = default;
    // Where the program with this socket is reached; `path` as main.cf writes it ("private/policy"). Nothing: there is
    // no such socket.
    virtual std::optional<endpoint> unix_socket(std::string_view path) = 0;
};

}  // namespace mta
