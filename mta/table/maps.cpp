#include "mta/table/maps.hpp"

#include <iterator>
#include <utility>

#include "mta/table/registry.hpp"
#include "mta/table/source_text.hpp"
#include "mta/text/strings.hpp"

namespace mta::table {

maps::maps(std::string title, std::vector<table_ptr> tables) : title_(std::move(title)), tables_(std::move(tables)) {}

maps maps::open(std::string_view title, std::string_view list, registry& registry, const environment& environment,
                const open_options& options, std::vector<diagnostic>& diagnostics) {
    std::vector<table_ptr> tables;
    for (const std::string_view spec : text::split_quoting_braces(list, text::comma_or_space)) {
        opened one = registry.open(spec, environment, options);
        diagnostics.insert(diagnostics.end(), one.diagnostics.begin(), one.diagnostics.end());
        tables.push_back(std::move(one.value));
    }
    return {std::string(title), std::move(tables)};
}

match maps::find(std::string_view key, reach scope) const {
    match match;
    find_next(key, scope, match);
    return match;
}

bool maps::find_next(std::string_view key, reach scope, match& match) const {
    constexpr std::size_t shown_key_bytes = 100;
    if (key.empty()) return false;
    std::vector<std::string>& warnings = match.result.warnings;
    for (const table_ptr& table : tables_) {
        if (scope == reach::fixed_only && table->keys() == key_style::pattern) continue;
        lookup_result result = table->lookup(key);
        warnings.insert(warnings.end(), std::make_move_iterator(result.warnings.begin()),
                        std::make_move_iterator(result.warnings.end()));
        if (result.status == outcome::not_found) continue;
        match.key = key;
        match.table = table->type_and_name();
        if (result.failed()) {
            warnings.push_back(match.table + " lookup error for \"" + printable(key.substr(0, shown_key_bytes)) + '"');
        } else if (result.value.empty()) {
            warnings.push_back(title_ + " lookup of " + printable(key) + " returns an empty string result");
            warnings.push_back(title_ + " should return NO RESULT in case of NOT FOUND");
            result.status = outcome::error;
            result.value = empty_result;
        }
        result.warnings = std::move(warnings);
        match.result = std::move(result);
        return true;
    }
    return false;
}

}  // namespace mta::table
