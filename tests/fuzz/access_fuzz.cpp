// Reply filters, templates and footers of access decisions take any text. Invariant: no crash; a filter is read or
// complained of; a footer keeps every line under the reply's code.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "mta/smtpd/access_reply.hpp"
#include "mta/smtpd/dnsbl_filter.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const auto filter = mta::smtpd::dnsbl_filter::parse(text);
    if (filter.filter.has_value() == !filter.error.empty()) std::abort();
    if (filter.filter) filter.filter->matches("127.0.0.1");
    const auto find = [&](std::string_view) -> std::optional<std::string> { return std::string(text.substr(0, 64)); };
    mta::smtpd::expand_reply(text, find, "abc");
    const std::string reply = mta::smtpd::add_footer("554 5.7.1 no", text);
    if (reply.substr(0, 3) != "554") std::abort();
    mta::smtpd::split_status(text, "5.7.1");
    return 0;
}
