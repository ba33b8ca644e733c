// mta/smtp/reply.hpp - a server's reply as the client reads it (RFC 5321 4.2, RFC 2034, smtp_chat.c).
#pragma once
#include <string>
#include <string_view>

namespace mta::smtp {

struct reply {
    int code = 0;      // 0: not a reply
    std::string dsn;   // "2.1.5": as sent when it fits the code, else made from its first digit; 5.5.0 for 3xx
    std::string text;  // the lines without their line ends, joined by "\n"
    bool positive() const { return code / 100 == 2; }
    bool intermediate() const { return code / 100 == 3; }
    // For a log or a notice: one line.
    std::string one_line() const;
};

// Gathers the lines of one reply. What is no reply line is kept as text, and waited out: the reply ends with a line of
// a code and a space, or a code alone.
class reply_parser {
  public:
    enum class line : unsigned char { more, last, garbage };
    line add(std::string_view line);
    const reply& result() const { return result_; }

  private:
    reply result_;
    bool first_ = true;
};

// "5.1.1" at the head of `text`, when it is a status code of the class `digit`; else "".
std::string_view enhanced_status(std::string_view text, char digit);

}  // namespace mta::smtp
