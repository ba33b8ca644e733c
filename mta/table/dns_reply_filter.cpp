#include "mta/table/dns_reply_filter.hpp"

#include <fmt/format.h>

#include "mta/text/strings.hpp"

namespace mta::table {
namespace {

// What its type has to say.
std::string data_of(const dns::record& r) {
    switch (r.type) {
        case dns::record_type::a:
        case dns::record_type::aaaa:
            return r.address;
        case dns::record_type::txt:
            return r.text.empty() ? std::string() : r.text.front();
        case dns::record_type::mx:
            return fmt::format("{} {}.", r.preference, r.target);
        case dns::record_type::srv:
            return fmt::format("{} {} {} {}.", r.preference, r.weight, r.port, r.target);
        default:
            return r.target + ".";
    }
}

}  // namespace

std::string as_text(const dns::record& record) {
    return fmt::format("{}. {} IN {} {}", record.owner, record.ttl_s, dns::name_of(record.type), data_of(record));
}

filtered_answer filter_answer(const maps& filter, dns::record_type type, dns::response& answer) {
    filtered_answer said;
    if (filter.empty() || !answer.ok()) return said;
    std::vector<dns::record> kept;
    bool any = false;
    for (dns::record& each : answer.answers) {
        if (each.type != type) {
            kept.push_back(std::move(each));
            continue;
        }
        const std::string text = as_text(each);
        const match found = filter.find(text);
        said.warnings.insert(said.warnings.end(), found.result.warnings.begin(), found.result.warnings.end());
        if (!found.found() && !found.failed()) {
            any = true;
            kept.push_back(std::move(each));
            continue;
        }
        if (found.failed() || !text::equal_ignoring_case(found.result.value, "IGNORE")) {
            if (!found.failed())
                said.warnings.push_back(
                    fmt::format("{}: unknown DNS filter action: \"{}\"", filter.title(), found.result.value));
            answer.answers.clear();
            answer.state = dns::status::bad_filter;
            return said;
        }
        said.ignored.push_back("ignoring DNS RR: " + text);
    }
    answer.answers = std::move(kept);
    if (!any) answer.state = dns::status::filtered;
    return said;
}

}  // namespace mta::table
