// The text of a main.cf, a NUL byte, the text of a master.cf. Reading, checking and expanding them ends, throws nothing
// but config::fatal from getters, and gives every definition back unchanged.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "mta/config/check.hpp"
#include "mta/config/expand.hpp"

using namespace mta::config;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    const std::string_view input(reinterpret_cast<const char*>(data), size);
    const auto split = std::min(input.find('\0'), input.size());
    const auto main = read_main_cf(input.substr(0, split), "main.cf");
    const auto master = stock_master_cf_with(input.substr(std::min(split + 1, size)), "master.cf");
    const auto values =
        parameters::layer(parameters::defaults({"mail.example.com", {"192.0.2.1/24"}}), main.definitions);
    if (!main.definitions.empty()) {
        const auto& last = main.definitions.back();
        if (values->unexpanded(last.name) != last.value || !values->is_set(last.name)) std::abort();
    }
    (void)check(main, master, values);
    for (const auto name : {"mydomain", "mynetworks", "mydestination", "smtp_destination_recipient_limit"}) {
        try {
            (void)values->text(name);
        } catch (const fatal&) {
        }
    }
    try {
        (void)expand_once(input, [](std::string_view n) { return std::optional(std::string(n)); }, {});
    } catch (const fatal&) {
    }
    return 0;
}
