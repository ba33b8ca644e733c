#include "mta/smtpd/dnsbl_filter.hpp"

#include <fmt/format.h>

#include "mta/address/ip_address.hpp"
#include "mta/text/strings.hpp"

namespace mta::smtpd {
namespace {

// A pattern taken apart from left to right; the first mistake ends it.
class reader {
  public:
    explicit reader(std::string_view text) : text_(text) {}

    bool at_end() const { return at_ == text_.size(); }
    bool take(std::string_view expected) {
        if (text_.substr(at_, expected.size()) != expected) return false;
        begin_ = at_;
        at_ += expected.size();
        return true;
    }
    std::optional<int> number() {
        begin_ = at_;
        int value = 0;
        std::size_t digits = 0;
        for (; at_ < text_.size() && text::is_digit(text_[at_]); ++at_, ++digits) {
            if (value <= 255) value = value * 10 + (text_[at_] - '0');
        }
        if (digits == 0 && !at_end()) ++at_;
        if (digits == 0 || value > 255) return std::nullopt;
        return value;
    }
    // Postfix shows where: what was read, the offending part between > and <, the rest.
    std::string complain(std::string_view what) {
        return fmt::format("{} at \"{}>{}<{}\"", what, text_.substr(0, begin_), text_.substr(begin_, at_ - begin_),
                           text_.substr(at_));
    }
    void step() {
        begin_ = at_;
        if (!at_end()) ++at_;
    }

  private:
    std::string_view text_;
    std::size_t begin_ = 0, at_ = 0;
};

constexpr std::string_view need_number = "need decimal number 0..255",
                           need_octet = "need decimal number 0..255 or \"[\"";

// What stands between [ and ]; an error text, or "".
std::string read_choices(reader& from, std::bitset<256>& into) {
    for (;;) {
        const auto low = from.number();
        if (!low) return from.complain(need_number);
        auto high = low;
        if (from.take("..") || from.take(".")) {
            high = from.number();
            if (!high) return from.complain(need_number);
            if (*high < *low) return from.complain("numeric range error");
        }
        for (int each = *low; each <= *high; ++each) into.set(static_cast<std::size_t>(each));
        if (from.take("]")) return {};
        if (from.take(";")) continue;
        if (from.at_end()) return "missing \"]\" character";
        from.step();
        return from.complain("need \";\" or \"]\"");
    }
}

}  // namespace

dnsbl_filter::parsed dnsbl_filter::parse(std::string_view text) {
    if (text.empty()) return {std::nullopt, "empty address pattern"};
    dnsbl_filter made;
    reader from(text);
    for (std::size_t octet = 0; octet < made.octets_.size(); ++octet) {
        if (octet > 0 && !from.take(".")) {
            from.step();
            return {std::nullopt, from.complain("need \".\"")};
        }
        if (from.take("[")) {
            std::string error = read_choices(from, made.octets_[octet]);
            if (!error.empty()) return {std::nullopt, std::move(error)};
            continue;
        }
        const auto value = from.number();
        if (!value) return {std::nullopt, from.complain(need_octet)};
        made.octets_[octet].set(static_cast<std::size_t>(*value));
    }
    if (!from.at_end()) {
        from.step();
        return {std::nullopt, from.complain("garbage after pattern")};
    }
    return {made, {}};
}

bool dnsbl_filter::matches(std::string_view ipv4_address) const {
    const auto address = address::ip_address::parse(ipv4_address);
    if (!address || !address->is_v4()) return false;
    for (std::size_t octet = 0; octet < octets_.size(); ++octet) {
        if (!octets_[octet].test(address->bytes()[octet])) return false;
    }
    return true;
}

}  // namespace mta::smtpd
