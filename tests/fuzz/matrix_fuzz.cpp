// CSV of questions for relaylab explain --matrix, from hostile text.
// Invariant: it ends without a crash; a row has the line that it begins on, and a mistake names one.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "mta/config/problem.hpp"
#include "sim/lab/verdict_matrix.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view input(reinterpret_cast<const char*>(data), size);
    try {
        std::size_t last = 0;
        for (const auto& each : sim::lab::read_matrix(input, "policy.csv")) {
            if (each.line <= last) std::abort();
            last = each.line;
            if (sim::lab::meets(each.sender, true, each.expect) && each.expect == "accept") std::abort();
        }
    } catch (const mta::config::fatal& error) {
        if (error.where().line == 0) std::abort();
    }
    return 0;
}
