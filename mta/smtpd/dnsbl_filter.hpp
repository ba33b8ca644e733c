// mta/smtpd/dnsbl_filter.hpp - the "=d.d.d.d" that selects replies of a DNS list: "127.0.0.[2;4..8]" (postconf(5),
// reject_rbl_client).
//
// Each octet is a number, or in brackets numbers and ranges parted by `;`. A bad filter comes out as Postfix's own
// words for what is wrong with it.
#pragma once
#include <array>
#include <bitset>
#include <optional>
#include <string>
#include <string_view>

namespace mta::smtpd {

class dnsbl_filter {
  public:
    struct parsed;
    static parsed parse(std::string_view text);
    bool matches(std::string_view ipv4_address) const;

  private:
    std::array<std::bitset<256>, 4> octets_;
};

struct dnsbl_filter::parsed {
    std::optional<dnsbl_filter> filter;
    std::string error;
};

}  // namespace mta::smtpd
