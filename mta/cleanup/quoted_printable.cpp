#include "mta/cleanup/quoted_printable.hpp"

namespace mta::cleanup {
namespace {

// With the escape of one more character and the soft line break it stays within 76 columns.
constexpr std::size_t longest_before_break = 72;

constexpr bool stands_for_itself(char c) {
    return (c >= '!' && c <= '~' && c != '=') || c == ' ' || c == '\t';
}

}  // namespace

void quoted_printable_encoder::escape(char c) {
    constexpr std::string_view digits = "0123456789ABCDEF";
    const auto byte = static_cast<unsigned char>(c);
    line_ += '=';
    line_ += digits[byte >> 4];
    line_ += digits[byte & 0xf];
}

void quoted_printable_encoder::encode(std::string_view piece, bool whole, const sink& out) {
    for (const char c : piece) {
        if (line_.size() > longest_before_break) {
            line_ += '=';
            out(line_);
            line_.clear();
        }
        if (stands_for_itself(c)) {
            line_ += c;
        } else {
            escape(c);
        }
    }
    if (!whole) return;
    if (!line_.empty() && (line_.back() == ' ' || line_.back() == '\t')) {
        const char last = line_.back();
        line_.pop_back();
        escape(last);
    }
    out(line_);
    line_.clear();
}

}  // namespace mta::cleanup
