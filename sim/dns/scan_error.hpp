// sim/dns/scan_error.hpp - what the zone scanner stumbled over, in words for whoever wrote the zone.
#pragma once
#include <span>
#include <string>
#include <string_view>

#include "sim/dns/zone_text.hpp"

namespace sim::dns {

struct wording {
    std::string message;
    std::string advice;
};

// `code` is libzscanner's.
wording words_for(int code, const zone_text::position& where);

}  // namespace sim::dns
