// The input is a bounce_template_file. Invariant: it is read, complained of, or fatal to the service; a template that
// is taken has a body, and expanding it ends.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "mta/bounce/templates.hpp"
#include "mta/config/parameters.hpp"
#include "mta/config/problem.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace mta::bounce;
    static const auto parameters = mta::config::parameters::defaults({"mail.test", {"192.168.137.6/24"}});
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    notice_templates all = notice_templates::built_in();
    std::vector<std::string> warnings;
    try {
        all.read(text, "/templates", warnings);
        for (const auto kind :
             {template_kind::failure, template_kind::delay, template_kind::success, template_kind::verify}) {
            const notice_template& taken = all.of(kind, warnings);
            if (taken.body.empty()) std::abort();
            expand_body(taken, "failure", *parameters, warnings);
        }
    } catch (const mta::config::fatal&) {
    }
    return 0;
}
