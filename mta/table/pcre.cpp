// mta/table/pcre.cpp - pcre: tables on PCRE2 (pcre_table(5)).
//
// Matching is bounded in steps, depth and memory; an expression that needs more is warned of at each lookup ("match
// limit exceeded") and does not match. The step limit is a tenth of PCRE2's own, since a lab runs many hosts at once.
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <algorithm>
#include <array>

#include "mta/table/pcre_expression.hpp"

namespace mta::table {
namespace {

struct free_code {
    void operator()(pcre2_code* code) const { pcre2_code_free(code); }
};
struct free_match {
    void operator()(pcre2_match_data* data) const { pcre2_match_data_free(data); }
};
struct free_compile_context {
    void operator()(pcre2_compile_context* context) const { pcre2_compile_context_free(context); }
};
struct free_match_context {
    void operator()(pcre2_match_context* context) const { pcre2_match_context_free(context); }
};

constexpr std::uint32_t step_limit = 1'000'000;
constexpr std::uint32_t depth_limit = 100'000;
constexpr std::uint32_t heap_limit_kib = 20'000;
constexpr std::size_t pattern_limit_bytes = 65'536;

std::string message_of(int code) {
    std::array<PCRE2_UCHAR, 256> text{};
    pcre2_get_error_message(code, text.data(), text.size());
    return reinterpret_cast<const char*>(text.data());
}

class pcre_expression final : public expression {
  public:
    explicit pcre_expression(pcre2_code* code) : code_(code), context_(pcre2_match_context_create(nullptr)) {
        pcre2_set_match_limit(context_.get(), step_limit);
        pcre2_set_depth_limit(context_.get(), depth_limit);
        pcre2_set_heap_limit(context_.get(), heap_limit_kib);
        std::uint32_t count = 0;
        pcre2_pattern_info(code_.get(), PCRE2_INFO_CAPTURECOUNT, &count);
        group_count_ = count;
    }

    outcome match(const std::string& subject, std::span<group_span> groups, std::string& error) const override {
        const std::unique_ptr<pcre2_match_data, free_match> data(
            pcre2_match_data_create_from_pattern(code_.get(), nullptr));
        const int count = pcre2_match(code_.get(), reinterpret_cast<PCRE2_SPTR>(subject.data()), subject.size(), 0, 0,
                                      data.get(), context_.get());
        if (count == PCRE2_ERROR_NOMATCH) return outcome::unmatched;
        if (count < 0) {
            error = message_of(count);
            return outcome::failed;
        }
        const PCRE2_SIZE* const offsets = pcre2_get_ovector_pointer(data.get());
        const std::size_t set = std::min(groups.size(), static_cast<std::size_t>(count));
        for (std::size_t i = 0; i < set; ++i) {
            const PCRE2_SIZE begin = offsets[2 * i];
            const PCRE2_SIZE end = offsets[2 * i + 1];
            if (begin != PCRE2_UNSET && begin <= end) groups[i] = {begin, end};  // \K can put the begin behind the end
        }
        return outcome::matched;
    }
    std::size_t group_count() const override { return group_count_; }

  private:
    std::unique_ptr<pcre2_code, free_code> code_;
    std::unique_ptr<pcre2_match_context, free_match_context> context_;
    std::size_t group_count_ = 0;
};

constexpr std::array<pattern_flag, 8> flags = {{{'i', PCRE2_CASELESS},
                                                {'m', PCRE2_MULTILINE},
                                                {'s', PCRE2_DOTALL},
                                                {'x', PCRE2_EXTENDED},
                                                {'A', PCRE2_ANCHORED},
                                                {'E', PCRE2_DOLLAR_ENDONLY},
                                                {'U', PCRE2_UNGREEDY},
                                                {'X', 0}}};

compiled compile(const std::string& pattern, unsigned chosen, const open_options& options) {
    return compile_pcre(pattern, chosen | (options.utf8 ? PCRE2_UTF : 0u));
}

constexpr pattern_engine engine = {flags, PCRE2_CASELESS | PCRE2_DOTALL, "ignoring", "out of range replacement index",
                                   compile};

}  // namespace

compiled compile_pcre(const std::string& pattern, unsigned options) {
    const std::unique_ptr<pcre2_compile_context, free_compile_context> context(pcre2_compile_context_create(nullptr));
    pcre2_set_max_pattern_length(context.get(), pattern_limit_bytes);
    int code = 0;
    PCRE2_SIZE offset = 0;
    pcre2_code* const made = pcre2_compile(reinterpret_cast<PCRE2_SPTR>(pattern.data()), pattern.size(), options, &code,
                                           &offset, context.get());
    if (made == nullptr)
        return {nullptr, "error in regex at offset " + std::to_string(offset) + ": " + message_of(code)};
    return {std::make_unique<pcre_expression>(made), {}};
}

table_ptr open_pcre(const open_request& request) {
    return open_patterns(request, engine);
}

}  // namespace mta::table
