// mta/cleanup/quoted_printable.hpp - text to quoted-printable, line by line (RFC 2045 6.7), as mime_state(3) does it.
//
// Never fails. A line goes on across calls while its pieces are not `whole`; what is gathered is at most one line of
// the result.
#pragma once
#include <functional>
#include <string>
#include <string_view>

namespace mta::cleanup {

class quoted_printable_encoder {
  public:
    // Gets each line of the result, without its line end.
    using sink = std::function<void(std::string_view line)>;

    void encode(std::string_view piece, bool whole, const sink& out);

  private:
    void escape(char c);
    std::string line_;
};

}  // namespace mta::cleanup
