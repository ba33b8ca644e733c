// Lookup tables from hostile text: every source syntax, every in-name syntax, the lookup orders and the pattern lists.
// Invariant: opening and looking up end without a crash, a leak or a hang; a hit says where, an error says why.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "mta/table/lookup_order.hpp"
#include "mta/table/match_list.hpp"
#include "mta/table/registry.hpp"

namespace {

using namespace mta::table;

constexpr std::string_view types[] = {"hash",   "texthash", "cidr",    "regexp",  "pcre",  "inline",
                                      "static", "unionmap", "pipemap", "randmap", "sqlite"};

void check(const lookup_result& result) {
    if (result.found() && result.where.file.empty()) std::abort();
    if (result.failed() && result.value.empty()) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 3 || size > 4096) return 0;
    const std::string_view input(reinterpret_cast<const char*>(data), size);
    const std::string type(types[data[0] % std::size(types)]);
    const bool in_name = (data[1] & 1) != 0;
    open_options options;
    options.syntax = (data[1] & 2) != 0 ? source_syntax::aliases : source_syntax::map;
    options.utf8 = (data[1] & 4) != 0;
    options.values_are_files = (data[1] & 8) != 0;

    // The first line after the two choices is the key, the rest the text.
    const std::size_t end = std::min(input.find('\n', 2), input.size());
    const std::string key(input.substr(2, end - 2));
    const std::string text(input.substr(std::min(end + 1, input.size())));
    environment host;
    host.read = [&](std::string_view path) { return path == "/file" ? std::optional(text) : std::nullopt; };

    const std::string spec = type + ':' + (in_name ? text : "/file");
    const opened one = open(spec, host, options);
    check(one.value->lookup(key));

    registry registry;
    std::vector<diagnostic> diagnostics;
    const maps maps(type, {one.value});
    const address_rules rules{"+-", [](std::string_view domain) { return domain.size() % 2 == 0; }};
    const match mapped = find_address(maps, key, rules);
    check(mapped.result);
    mapped_text(mapped, key, true);
    check(find_transport(maps, key, "+").result);
    check(find_access_address(maps, key, "+").result);
    check(find_access_client(maps, key, "192.0.2.1").result);
    check(find_access_network(maps, key).result);

    const name_address_list list("mynetworks", in_name ? std::string_view(text) : "/file", registry, host, diagnostics,
                                 parent_style::bare_parent);
    list.match(key, "192.0.2.1");
    list.match("host.example", key);
    return 0;
}
