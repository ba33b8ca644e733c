#include "mta/stream/byte_stream.hpp"

namespace mta {

std::string_view describe(io_error error) {
    switch (error) {
        case io_error::none:
            return "Success";
        case io_error::end_of_stream:
            return "Connection closed";
        case io_error::timed_out:
            return "Connection timed out";
        case io_error::refused:
            return "Connection refused";
        case io_error::reset:
            return "Connection reset by peer";
        case io_error::host_unreachable:
            return "No route to host";
        case io_error::network_unreachable:
            return "Network is unreachable";
        case io_error::tls_failed:
            return "TLS failure";
    }
    return "Unknown error";
}

task<io_error> write_all(byte_stream& stream, scheduler& clock, std::string_view bytes, duration timeout) {
    while (!bytes.empty()) {
        const time_point deadline = clock.now() + timeout;
        const io_result written = co_await write_some(stream, bytes, deadline);
        if (!written.ok()) co_return written.error;
        bytes.remove_prefix(written.bytes);
    }
    co_return io_error::none;
}

}  // namespace mta
