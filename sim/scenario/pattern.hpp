// sim/scenario/pattern.hpp - what scenario files search and compare texts with: globs and regular expressions.
//
// A pattern comes from a file that nobody vouches for: what cannot be compiled says why and where, and a search that
// would take for ever is given up (PCRE2's match limits). Two dialects: PCRE2's own for `log` expectations, and that of
// Python's re for content filters, whose rules real filters written in Python run with the same result.
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace sim::scenario {

// `*` and `?` over the whole text; a `?` is one character of UTF-8, or one byte of what is none. Case counts.
bool glob_matches(std::string_view glob, std::string_view text);

enum class dialect : std::uint8_t { pcre, python };

struct pattern_problem {
    std::size_t offset = 0;  // bytes into the pattern
    std::string text;        // "missing closing parenthesis"
};
// Why `expression` is no pattern; nothing when it is one. For the loader.
std::optional<pattern_problem> check_pattern(std::string_view expression, dialect language);

enum class search_result : std::uint8_t { found, not_found, too_costly };

class pattern {
  public:
    // A pattern that cannot be compiled finds nothing; check_pattern() tells it from one that can.
    pattern(std::string_view expression, dialect language);
    pattern(pattern&&) noexcept;
    pattern& operator=(pattern&&) noexcept;
    ~pattern();

    bool valid() const { return code_ != nullptr; }
    // Anywhere within `text`. Bytes that are no UTF-8 are characters of their own, no letters.
    search_result search(std::string_view text) const;
    // The same for many texts: takes its steps off `budget`, and is too costly once none are left.
    search_result search(std::string_view text, std::uint64_t& budget) const;

  private:
    struct compiled;
    std::unique_ptr<compiled> code_;
};

// Text for people: valid UTF-8 as it is, each other byte as "\xNN" (Python's backslashreplace).
std::string readable(std::string_view bytes);

}  // namespace sim::scenario
