// mta/cleanup/message_headers.hpp - the header section of a message, as lines that can be found, dropped and added
// (RFC 5322 2.2, header_opts.c).
//
// Whatever is no header line ends the section, as in Postfix; a message that starts with a body gets an empty line
// before it.
#pragma once
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace mta::cleanup {

struct header {
    std::size_t begin = 0, end = 0;  // in the text, with the last newline
    std::size_t name_length = 0;
    bool dropped = false;
    std::string_view name(std::string_view text) const { return text.substr(begin, name_length); }
    // After the colon, continuation lines and all, without the last newline.
    std::string_view value(std::string_view text) const;
};

class message_headers {
  public:
    explicit message_headers(std::string content);

    std::string_view text() const { return text_; }
    const header* find(std::string_view name) const;  // the first, in any case
    int count(std::string_view name) const;
    std::vector<std::string> values(std::string_view name) const;
    void drop(const header& which);
    void drop_all(std::string_view name);
    void append(std::string_view name, std::string_view value);

    struct whole {
        std::string text;
        std::size_t header_size = 0;
    };
    // The message with what was dropped and added. The object is spent.
    whole finish();

  private:
    std::string text_;
    std::vector<header> headers_;
    std::size_t body_ = 0;  // where the empty line, or the first line that is no header, begins
    std::string added_;
    bool dropped_any_ = false;
};

}  // namespace mta::cleanup
