#include "mta/cleanup/mapping.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "mta/address/map_address.hpp"
#include "mta/address/quote.hpp"
#include "mta/address/trivial_rewrite.hpp"
#include "mta/text/strings.hpp"

namespace mta::cleanup {
namespace {

constexpr int canonical_recursion_limit = 10;
constexpr std::size_t shown_result_bytes = 300;
constexpr const char* try_later = "message not accepted, try again later";

std::string quoted(std::string_view internal) {
    return address::quote_822_local(internal);
}

void note(const table::match& match, mapping_problems& problems) {
    for (const std::string& each : match.result.warnings) problems.warnings.push_back({each, false});
}

}  // namespace

address_mapper::found address_mapper::look_up(const table::maps& maps, std::string_view internal, bool propagate,
                                              std::vector<std::string>& out, mapping_problems& problems) const {
    address::mapped mapped = address::map_address(maps, internal, propagate, rewrite_, options_.token_limit);
    note(mapped.match, problems);
    if (mapped.match.failed()) return found::failed;
    out = std::move(mapped.addresses);
    return out.empty() ? found::no : found::yes;
}

void address_mapper::canonicalize(std::string& external, const table::maps& maps, mapping_problems& problems) const {
    if (maps.empty()) return;
    std::vector<std::string> results;
    for (int i = 0; i < canonical_recursion_limit; ++i) {
        switch (look_up(maps, address::unquote_822_local(external), options_.propagate_canonical, results, problems)) {
            case found::no:
                return;
            case found::failed:
                problems.warnings.push_back(
                    {fmt::format("{} map lookup problem for {} -- {}", maps.title(), external, try_later)});
                problems.failed = true;
                return;
            case found::yes:
                break;
        }
        if (results.size() > 1)
            problems.warnings.push_back({fmt::format("multi-valued {} entry for {}", maps.title(), external)});
        const std::string before = std::move(external);
        external = quoted(results.front());
        if (text::equal_ignoring_case(before, external)) return;
    }
    problems.warnings.push_back(
        {fmt::format("unreasonable {} map nesting for {} -- {}", maps.title(), external, try_later)});
}

void address_mapper::masquerade(std::string& external, mapping_problems& problems) const {
    const auto at = external.rfind('@');
    if (at == std::string::npos || options_.masquerade_domains.empty()) return;
    if (options_.has_masquerade_exceptions) {
        const auto excepted = options_.masquerade_exceptions.match(text::lowered(external.substr(0, at)));
        for (const std::string& each : excepted.warnings) problems.warnings.push_back({each, false});
        if (excepted.failed()) {
            problems.warnings.push_back({fmt::format("masquerade_exceptions map lookup problem -- {}", try_later)});
            problems.failed = true;
        }
        if (excepted.matched()) return;
    }
    const std::string domain = external.substr(at + 1);
    for (const std::string& each : options_.masquerade_domains) {
        std::string_view parent = each;
        bool truncate = true;
        while (!parent.empty() && parent.front() == '!') {
            truncate = !truncate;
            parent.remove_prefix(1);
        }
        if (parent.empty() || parent.size() > domain.size()) continue;
        if (!text::ends_with_ignoring_case(domain, parent)) continue;
        if (parent.size() == domain.size()) return;
        if (domain[domain.size() - parent.size() - 1] != '.') continue;
        if (truncate) external.replace(at + 1, std::string::npos, parent);
        return;
    }
}

// False when a limit is passed or a table fails.
bool address_mapper::expand_one(std::vector<std::string>& addresses, std::size_t index,
                                std::vector<std::string>& finished, const std::string& whole,
                                mapping_problems& problems) const {
    const std::string& title = options_.virtual_alias.title();
    std::vector<std::string> results;
    for (std::size_t depth = 0;; ++depth) {
        const std::string current = addresses[index];
        const std::string folded = text::lowered(current);
        // Who expanded into himself is not expanded again.
        if (std::find(finished.begin(), finished.end(), folded) != finished.end()) return true;
        if (depth >= options_.virtual_recursion_limit) {
            problems.warnings.push_back(
                {fmt::format("unreasonable {} map nesting for {} -- {}", title, whole, try_later)});
            problems.unreasonable = true;
            return false;
        }
        switch (look_up(options_.virtual_alias, current, options_.propagate_virtual, results, problems)) {
            case found::no:
                return true;
            case found::failed:
                problems.warnings.push_back(
                    {fmt::format("{} map lookup problem for {} -- {}", title, whole, try_later)});
                problems.failed = true;
                return false;
            case found::yes:
                break;
        }
        for (std::size_t i = 0; i < results.size(); ++i) {
            if (results[i].size() > options_.virtual_length_limit) {
                problems.warnings.push_back({fmt::format("unreasonable {} result {}... -- {}", title,
                                                         results[i].substr(0, shown_result_bytes), try_later)});
                problems.unreasonable = true;
                return false;
            }
            if (text::equal_ignoring_case(current, results[i])) finished.push_back(folded);
            if (i == 0) {
                addresses[index] = results[i];
            } else {
                addresses.push_back(results[i]);
            }
        }
    }
}

std::vector<std::string> address_mapper::expand(const std::string& internal, mapping_problems& problems) const {
    std::vector<std::string> addresses{internal}, finished;
    if (options_.virtual_alias.empty()) return addresses;
    for (std::size_t i = 0; i < addresses.size(); ++i) {
        bool good = true;
        if (addresses.size() > options_.virtual_expansion_limit) {
            problems.warnings.push_back({fmt::format("unreasonable {} map expansion size for {} -- {}",
                                                     options_.virtual_alias.title(), internal, try_later)});
            problems.unreasonable = true;
            good = false;
        }
        if (!good || !expand_one(addresses, i, finished, internal, problems)) {
            problems.reason = "4.6.0 Alias expansion error";
            return {internal};
        }
    }
    return addresses;
}

std::optional<std::string> address_mapper::find_bcc(const table::maps& maps, std::string_view internal,
                                                    mapping_problems& problems) const {
    if (maps.empty() || internal.empty()) return std::nullopt;
    const table::match match = table::find_address(maps, internal, rewrite_.address_rules());
    note(match, problems);
    if (match.failed()) {
        problems.warnings.push_back({fmt::format("{} map lookup problem -- {}", maps.title(), try_later)});
        problems.failed = true;
    }
    if (!match.found()) return std::nullopt;
    return match.result.value;
}

}  // namespace mta::cleanup
