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

void ehlo_reply::add_message_extensions(bool smtputf8) {
    using config::keyword;
    add(keyword::enhancedstatuscodes, "ENHANCEDSTATUSCODES");
    add(keyword::eightbitmime, "8BITMIME");
    add(keyword::dsn, "DSN");
    if (smtputf8) add(keyword::smtputf8, "SMTPUTF8");
    add(keyword::chunking, "CHUNKING");
}

}  // namespace mta::smtpd
