// mta/table/maps.hpp - a list of tables, as virtual_alias_maps names them, asked one after another (maps.c).
//
// The first table that knows the key decides; the first that fails ends the search with an error. Empty keys are never
// looked up, and an empty value is a configuration error. Never throws.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "mta/table/open.hpp"
#include "mta/table/table.hpp"

namespace mta::table {

class registry;

// The reason of a lookup that failed for a right-hand side that is empty: a mistake in the configuration.
inline constexpr std::string_view empty_result = "empty string result";

// A lookup result and what led to it.
struct match {
    lookup_result result;
    std::string key;        // found: the key that hit; error: the key that failed
    std::string table;      // found or error: type:name of that table
    std::string extension;  // "+ext" that the key that hit left out, delimiter included

    bool found() const { return result.found(); }
    bool failed() const { return result.failed(); }
};

// `fixed_only` is for a part of an address or a domain: pattern tables see whole keys only.
enum class reach { every_table, fixed_only };

class maps {
  public:
    maps() = default;
    maps(std::string title, std::vector<table_ptr> tables);

    // Opens "type:name, type:{ a, b }" with `registry`; what the tables said goes to `diagnostics`.
    static maps open(std::string_view title, std::string_view list, registry& registry, const environment& environment,
                     const open_options& options, std::vector<diagnostic>& diagnostics);

    match find(std::string_view key, reach scope = reach::every_table) const;
    // The same as one step of a search over several keys: warnings are added to those of `match`, and what it holds is
    // replaced when this key decides. False: it does not.
    bool find_next(std::string_view key, reach scope, match& match) const;

    const std::string& title() const { return title_; }  // the parameter's name
    const std::vector<table_ptr>& tables() const { return tables_; }
    bool empty() const { return tables_.empty(); }

  private:
    std::string title_;
    std::vector<table_ptr> tables_;
};

}  // namespace mta::table
