#include "mta/table/open.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "mta/table/source_text.hpp"
#include "mta/table/types.hpp"
#include "mta/text/strings.hpp"

namespace mta::table {
namespace {

struct table_type {
    std::string_view name;
    table_ptr (*open)(const open_request&);
};

constexpr std::array<table_type, 29> types = {{
    {"btree", open_indexed},   {"cdb", open_indexed},      {"cidr", open_cidr},          {"dbm", open_indexed},
    {"environ", open_environ}, {"fail", open_fail},        {"hash", open_indexed},       {"inline", open_inline},
    {"ldap", open_stand_in},   {"lmdb", open_indexed},     {"memcache", open_stand_in},  {"mongodb", open_stand_in},
    {"mysql", open_stand_in},  {"netinfo", open_stand_in}, {"nis", open_stand_in},       {"nisplus", open_stand_in},
    {"pcre", open_pcre},       {"pgsql", open_stand_in},   {"pipemap", open_pipe},       {"randmap", open_random},
    {"regexp", open_regexp},   {"sdbm", open_indexed},     {"socketmap", open_stand_in}, {"sqlite", open_sqlite},
    {"static", open_static},   {"tcp", open_stand_in},     {"texthash", open_texthash},  {"unionmap", open_union},
    {"unix", open_stand_in},
}};

class unavailable_table final : public table {
  public:
    unavailable_table(std::string_view type, std::string_view name, std::string reason)
        : table(type, name, key_style::pattern, false, false), reason_(std::move(reason)) {}

  private:
    lookup_result find(std::string_view) const override {
        return lookup_result::error(type_and_name() + " is unavailable. " + reason_);
    }

    std::string reason_;
};

table_ptr open_spec(std::string_view spec, const environment& host, const open_options& options,
                    std::vector<diagnostic>& diagnostics, std::size_t depth) {
    constexpr std::string_view proxy = "proxy:";
    std::string_view direct = spec;
    while (direct.starts_with(proxy)) direct.remove_prefix(proxy.size());

    const std::size_t colon = std::min(direct.find(':'), direct.size());
    const std::string_view type = direct.substr(0, colon);
    const std::string_view name = direct.substr(std::min(colon + 1, direct.size()));
    const open_request request{type, name, host, options, diagnostics, depth};
    if (type.empty() || name.empty()) {
        return unavailable(request,
                           "open dictionary: expecting \"type:name\" form instead of \"" + printable(spec) + '"',
                           severity::fatal);
    }
    if (depth > max_table_depth) return unavailable(request, "tables nest too deeply");
    const auto* const found =
        std::lower_bound(types.begin(), types.end(), type,
                         [](const table_type& row, std::string_view wanted) { return row.name < wanted; });
    if (found == types.end() || found->name != type) {
        return unavailable(request, "unsupported dictionary type: " + printable(type));
    }
    return found->open(request);
}

}  // namespace

table_ptr unavailable(const open_request& request, std::string reason, severity level) {
    request.diagnostics.push_back({level, reason, {std::string(request.name), 0}});
    return std::make_shared<unavailable_table>(request.type, request.name, std::move(reason));
}

table_ptr open_member(std::string_view spec, const open_request& parent) {
    return open_spec(spec, parent.host, parent.options, parent.diagnostics, parent.depth + 1);
}

rules_source read_rules(const open_request& request) {
    if (request.name.starts_with('{')) {
        inline_text rules = inline_rules(request.name);
        if (rules.error.empty()) return {std::move(rules.text), nullptr};
        return {{}, unavailable(request, std::string(request.type) + " map: " + rules.error)};
    }
    std::optional<std::string> text = request.host.read ? request.host.read(request.name) : std::nullopt;
    if (text) return {std::move(*text), nullptr};
    return {{}, unavailable(request, "open " + std::string(request.name) + ": No such file or directory")};
}

file_contents contents_of(std::string_view names, const environment& host) {
    constexpr std::size_t max_bytes = 16u << 20;
    file_contents result;
    bool first = true;
    for (const std::string_view name : text::split(names, text::comma_or_space)) {
        const std::optional<std::string> file = host.read ? host.read(name) : std::nullopt;
        if (!file) return {{}, "open " + std::string(name) + ": No such file or directory"};
        if (result.text.size() + file->size() > max_bytes)
            return {{}, "read " + std::string(name) + ": File too large"};
        if (!std::exchange(first, false)) result.text += '\n';
        result.text += *file;
    }
    if (first) return {{}, "empty pathname list: >>" + std::string(names) + "<<'"};
    return result;
}

opened open(std::string_view spec, const environment& environment, const open_options& options) {
    opened result;
    open_options wanted = options;
    wanted.utf8 = options.utf8 && environment.utf8;
    result.value = open_spec(spec, environment, wanted, result.diagnostics, 0);
    return result;
}

bool asks_a_server(std::string_view type) {
    return std::any_of(types.begin(), types.end(),
                       [&](const table_type& row) { return row.name == type && row.open == open_stand_in; });
}

const std::vector<std::string_view>& known_types() {
    static const std::vector<std::string_view> names = [] {
        std::vector<std::string_view> all = {"proxy"};
        for (const auto& row : types) all.push_back(row.name);
        std::sort(all.begin(), all.end());
        return all;
    }();
    return names;
}

}  // namespace mta::table
