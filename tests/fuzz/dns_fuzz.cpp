// Zone text and questions from the same bytes. Invariant: whatever the text, loading ends with either a zone or an
// error, every answer of the server is consistent with its own status, asking as Postfix does ends, and every record
// that comes out of a loaded zone can be asked for.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "sim/dns/server.hpp"

namespace {

using mta::dns::lookup;
using mta::dns::question;
using mta::dns::record_type;
using mta::dns::status;

void require(bool holds) {
    if (!holds) std::abort();
}

void ask(const sim::dns::server& lab, question first) {
    const auto direct = lab.answer(first).response;
    require(direct.ok() == (!records_of(direct, first.type).empty() && direct.code == mta::dns::rcode::noerror));
    require(direct.answers.size() < 12 || direct.ok());
    lookup way(std::move(first));
    for (int questions = 0; !way.done(); ++questions) {
        require(questions < 10);
        way.feed(lab.answer(way.asked()).response);
    }
    require(explain(way.asked(), way.result().state).empty() == way.result().ok());
}

}  // namespace

// The first line is the name asked for, the rest the zone's text.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view input(reinterpret_cast<const char*>(data), size);
    const auto end = std::min(input.find('\n'), input.size());
    const std::string name(input.substr(0, end));
    sim::dns::zone_plan plan;
    plan.server_address = "192.0.2.53";
    plan.zones.push_back(
        {"york.cc", std::string(input.substr(std::min(end + 1, input.size()))), sim::dns::security::secure});
    plan.machines.push_back({"mail.york.cc", "192.0.2.5", "mail.york.cc", true});
    sim::dns::server lab;
    bool error = false;
    for (const auto& complaint : lab.load(plan)) {
        require(!to_string(complaint).empty() && !complaint.message.empty());
        error = error || complaint.level == sim::dns::severity::error;
    }
    const auto zone = lab.find_zone("york.cc");
    require((zone == nullptr) == error);

    for (const auto type : {record_type::a, record_type::mx, record_type::cname, record_type::txt, record_type::ptr}) {
        ask(lab, {name, type});
        ask(lab, {name + ".york.cc", type});
    }
    if (!zone) return 0;
    require(zone->soa().type == record_type::soa);
    std::size_t asked = 0;
    for (const auto& record : zone->records()) {
        const auto found = zone->find(record.owner, record.type);
        require(found.kind == sim::dns::zone::finding::records || found.kind == sim::dns::zone::finding::referral);
        ask(lab, {record.owner, record.type});
        if (++asked == 100) break;
    }
    return 0;
}
