// Any message has a bounded chain of Received headers, each of whose parts is a piece of its header's text, and holding
// it against any story names differences without a crash.
#include <cstdint>
#include <cstdlib>

#include "sim/record/received_chain.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view message(reinterpret_cast<const char*>(data), size);
    const auto chain = sim::record::received_chain(message);
    if (chain.size() > 1000) std::abort();
    for (const auto& each : chain) {
        for (const auto* part :
             {&each.from, &each.client_name, &each.client_address, &each.by, &each.with, &each.id, &each.date}) {
            if (each.text.find(*part) == std::string::npos) std::abort();
        }
    }
    sim::record::message_trace story;
    story.stops.resize(2);
    story.stops[0].host = "mail.ohio.cc";
    story.stops[0].queue_id = "E2180A72621";
    story.stops[0].client_address = "192.168.137.2";
    story.stops[1].parent = 0;
    story.stops[1].host = chain.empty() ? "mail.york.cc" : chain.front().by;
    story.stops[1].queue_id = "ED796A72631";
    // Every header and every stop is accounted for, by agreement or by a difference.
    const auto differences = sim::record::compare_received(chain, story, 1);
    if (chain.size() > 2 && differences.size() < chain.size() - 2) std::abort();
    return 0;
}
