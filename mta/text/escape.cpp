#include "mta/text/escape.hpp"

#include <fmt/format.h>

namespace mta::text {

std::string escaped(std::string_view bytes) {
    constexpr std::string_view named = "\a\b\f\n\r\t\v\\", letters = "abfnrtv\\";
    std::string out;
    for (const char c : bytes) {
        const auto at = named.find(c);
        if (at != std::string_view::npos) {
            out += {'\\', letters[at]};
        } else if (c >= ' ' && c < 127) {
            out += c;
        } else {
            out += fmt::format("\\{:03o}", static_cast<unsigned char>(c));
        }
    }
    return out;
}

}  // namespace mta::text
