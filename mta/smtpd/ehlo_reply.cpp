#include "mta/smtpd/ehlo_reply.hpp"

#include <fmt/format.h>

namespace mta::smtpd {

void ehlo_reply::add(config::keyword which, std::string_view line) {
    if (discarded_ & config::bit(which)) return;
    out_ += fmt::format("250-{}\r\n", last_);
    last_ = line;
}

void ehlo_reply::add_size(std::int64_t limit) {
    add(config::keyword::size, limit > 0 ? fmt::format("SIZE {}", limit) : "SIZE");
}

}  // namespace mta::smtpd
