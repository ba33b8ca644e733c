// Invariant: whatever the message, with every report on, all that goes in as body text comes out, and nothing runs
// away.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "mta/cleanup/mime.hpp"

namespace {

class counter final : public mta::cleanup::mime_handler {
  public:
    void header(mta::cleanup::header_class, const mta::cleanup::header_options*, std::string& text) override {
        out += text.size() + 1;
    }
    void primary_headers_end() override {
        if (++ends > 1) std::abort();
    }
    void body(std::string_view text, bool, std::int64_t offset) override {
        if (offset < 0) std::abort();
        out += text.size() + 1;
    }
    void error(mta::cleanup::mime_error, std::string_view) override {}
    std::size_t out = 0;
    int ends = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::string_view rest(reinterpret_cast<const char*>(data), size);
    mta::cleanup::mime_options options;
    options.report_nesting = options.report_truncated_header = options.report_eight_bit_header = true;
    options.report_eight_bit_body = options.report_encoding_domain = true;
    options.nesting_limit = 3;
    const mta::cleanup::header_table headers({});
    counter seen;
    mta::cleanup::mime_parser parser(options, headers, seen);
    std::size_t lines = 0;
    for (; !rest.empty(); ++lines) {
        const std::size_t end = rest.find('\n');
        parser.text(rest.substr(0, end), end != std::string_view::npos);
        rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    }
    parser.end();
    if (seen.ends != 1 || seen.out > size + 2 * lines + 2) std::abort();
    return 0;
}
