#include "sim/scenario/pattern.hpp"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <algorithm>
#include <array>
#include <utility>

#include "sim/scenario/python_pattern.hpp"
#include "sim/scenario/utf8.hpp"

namespace sim::scenario {
namespace {

constexpr std::size_t longest_pattern = 65536;
// Steps of one search; some seconds at most. PCRE2's own match limit is for each place where a match may start, and so
// bounds nothing for a long text: the count is kept in a callout that it makes before each item of the pattern.
constexpr std::uint64_t step_limit = 200'000'000;
constexpr std::uint32_t match_limit = 10'000'000;
constexpr std::uint32_t depth_limit = 100'000;
constexpr std::uint32_t heap_limit_kib = 64 * 1024;

struct work {
    std::uint64_t left;
    PCRE2_SIZE last = 0;
};

// Whatever PCRE2 passes over between two callouts counts as well.
int count_step(pcre2_callout_block* at, void* data) {
    work& done = *static_cast<work*>(data);
    const PCRE2_SIZE here = at->current_position;
    const std::uint64_t steps = 1 + (here > done.last ? here - done.last : done.last - here);
    done.last = here;
    if (steps > done.left) {
        done.left = 0;
        return PCRE2_ERROR_CALLOUT;
    }
    done.left -= steps;
    return 0;
}

// The text as it is where it is UTF-8, and what `append` makes of each other byte.
template <class Append>
std::string with_other_bytes(std::string_view bytes, const Append& append) {
    std::string result;
    result.reserve(bytes.size() + 64);
    for (std::size_t at = 0; at < bytes.size();) {
        const std::size_t length = character_length(bytes, at);
        if (length > 0) {
            result += bytes.substr(at, length);
            at += length;
        } else {
            append(result, static_cast<unsigned char>(bytes[at++]));
        }
    }
    return result;
}

// PCRE2 wants UTF-8: other bytes become characters for private use at the end of Unicode, no letters and no digits, as
// the surrogates are that Python decodes them to.
std::string made_valid(std::string_view bytes) {
    return with_other_bytes(bytes, [](std::string& out, unsigned char byte) {
        out += "\xf4\x8f";
        out += static_cast<char>(0x80 | ((0xf00 | byte) >> 6 & 0x3f));
        out += static_cast<char>(0x80 | (byte & 0x3f));
    });
}

bool is_valid(std::string_view bytes) {
    for (std::size_t at = 0; at < bytes.size();) {
        const std::size_t length = character_length(bytes, at);
        if (length == 0) return false;
        at += length;
    }
    return true;
}

struct outcome {
    pcre2_code* code = nullptr;
    std::optional<pattern_problem> problem;
};

outcome compile(std::string_view expression, dialect language) {
    outcome result;
    if (expression.size() > longest_pattern) {
        result.problem = pattern_problem{longest_pattern, "the pattern is longer than 65536 bytes"};
        return result;
    }
    const std::size_t as_written = expression.size();
    translated_pattern source;
    if (language == dialect::python) {
        source = translate_python(expression);
        if (source.problem) {
            result.problem = std::move(source.problem);
            return result;
        }
        expression = source.text;
    }
    std::uint32_t options = PCRE2_UTF | PCRE2_AUTO_CALLOUT | PCRE2_NEVER_BACKSLASH_C;
    if (language == dialect::python) options |= PCRE2_ALT_CIRCUMFLEX | (source.ascii ? 0 : PCRE2_UCP);
    pcre2_compile_context* context = pcre2_compile_context_create(nullptr);
    if (context) pcre2_set_newline(context, PCRE2_NEWLINE_LF);
    int error = 0;
    PCRE2_SIZE offset = 0;
    result.code = pcre2_compile(reinterpret_cast<PCRE2_SPTR>(expression.data()), expression.size(), options, &error,
                                &offset, context);
    pcre2_compile_context_free(context);
    if (!result.code) {
        std::array<PCRE2_UCHAR, 256> words{};
        pcre2_get_error_message(error, words.data(), words.size());
        if (language == dialect::python) offset = offset < source.origins.size() ? source.origins[offset] : as_written;
        result.problem = pattern_problem{offset, reinterpret_cast<const char*>(words.data())};
    }
    return result;
}

}  // namespace

struct pattern::compiled {
    pcre2_code* code;
    pcre2_match_data* match;
    pcre2_match_context* context;

    explicit compiled(pcre2_code* of)
        : code(of),
          match(pcre2_match_data_create_from_pattern(of, nullptr)),
          context(pcre2_match_context_create(nullptr)) {
        if (!context) return;
        pcre2_set_match_limit(context, match_limit);
        pcre2_set_depth_limit(context, depth_limit);
        pcre2_set_heap_limit(context, heap_limit_kib);
    }
    compiled(const compiled&) = delete;
    ~compiled() {
        pcre2_match_context_free(context);
        pcre2_match_data_free(match);
        pcre2_code_free(code);
    }
};

pattern::pattern(std::string_view expression, dialect language) {
    if (pcre2_code* code = compile(expression, language).code) code_ = std::make_unique<compiled>(code);
}
pattern::pattern(pattern&&) noexcept = default;
pattern& pattern::operator=(pattern&&) noexcept = default;
pattern::~pattern() = default;

search_result pattern::search(std::string_view text) const {
    std::uint64_t budget = step_limit;
    return search(text, budget);
}

search_result pattern::search(std::string_view text, std::uint64_t& budget) const {
    if (!code_) return search_result::not_found;
    if (!code_->match || !code_->context) return search_result::too_costly;
    std::string copy;
    if (!is_valid(text)) text = copy = made_valid(text);
    const std::uint64_t allowed = std::min(budget, step_limit);
    work done{allowed};
    pcre2_set_callout(code_->context, count_step, &done);
    // pcre2_match takes no null pointer for an empty text.
    const char* start = text.empty() ? "" : text.data();
    const int found = pcre2_match(code_->code, reinterpret_cast<PCRE2_SPTR>(start), text.size(), 0, PCRE2_NO_UTF_CHECK,
                                  code_->match, code_->context);
    pcre2_set_callout(code_->context, nullptr, nullptr);
    budget -= allowed - done.left;
    if (found >= 0) return search_result::found;
    return found == PCRE2_ERROR_NOMATCH ? search_result::not_found : search_result::too_costly;
}

std::optional<pattern_problem> check_pattern(std::string_view expression, dialect language) {
    outcome result = compile(expression, language);
    pcre2_code_free(result.code);
    return std::move(result.problem);
}

bool glob_matches(std::string_view glob, std::string_view text) {
    std::size_t g = 0, t = 0, star = glob.npos, resume = 0;
    while (t < text.size()) {
        if (g < glob.size() && glob[g] == '*') {
            star = g++;
            resume = t;
        } else if (g < glob.size() && glob[g] == '?') {
            ++g;
            t += step_length(text, t);
        } else if (g < glob.size() && glob[g] == text[t]) {
            ++g;
            ++t;
        } else if (star != glob.npos) {
            // The last star takes one character more; those before it never need another try.
            g = star + 1;
            resume += step_length(text, resume);
            t = resume;
        } else {
            return false;
        }
    }
    while (g < glob.size() && glob[g] == '*') ++g;
    return g == glob.size();
}

std::string readable(std::string_view bytes) {
    static constexpr std::string_view digits = "0123456789abcdef";
    return with_other_bytes(bytes, [](std::string& out, unsigned char byte) {
        out += "\\x";
        out += digits[byte >> 4];
        out += digits[byte & 15];
    });
}

}  // namespace sim::scenario
