// mta/smtpd/ehlo_reply.hpp - the reply to EHLO (RFC 5321 4.1.1.1), line by line: what smtpd(8) and postscreen(8)
// announce.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "mta/config/ehlo_keywords.hpp"

namespace mta::smtpd {

class ehlo_reply {
  public:
    // Keywords of `discarded` are left out.
    ehlo_reply(std::string_view myhostname, config::keyword_set discarded) : last_(myhostname), discarded_(discarded) {}

    void add(config::keyword which, std::string_view line);
    // SIZE, with the limit in bytes when there is one (RFC 1870 3).
    void add_size(std::int64_t limit);
    // What every server has to say of messages, in Postfix's order.
    void add_message_extensions(bool smtputf8);
    // The whole reply, without its last CR LF.
    std::string text() const { return out_ + "250 " + last_; }

  private:
    std::string out_, last_;
    config::keyword_set discarded_;
};

}  // namespace mta::smtpd
