// mta/table/open.hpp - from "type:name" to a table, as dict_open(3) does, over values that the caller gives.
//
// Opening never throws and never fails outright: like Postfix since 2.9, a table that cannot be opened becomes a
// stand-in whose every lookup is an error ("TYPE:NAME is unavailable. REASON"), and the reason is among the
// diagnostics with severity::error. Mistakes in a table's text are warnings in Postfix's own words.
#pragma once
#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "mta/table/table.hpp"

namespace mta {
class random_source;
}

namespace mta::table {

// The bytes of a file of the host whose table it is, or nothing when there is no such file. A table whose server the
// lab does not run (ldap mysql pgsql memcache socketmap tcp nis nisplus netinfo unix mongodb) is looked for under its
// whole spec, "ldap:/etc/postfix/x.cf": a text in the form of postmap(1) stands in for the server. The daemons'
// environment is in /proc/self/environ, as proc(5) has it.
using file_reader = std::function<std::optional<std::string>(std::string_view path)>;

// What a table may ask of its host.
struct environment {
    file_reader read;
    // Specs whose source is in the form of aliases(5), whatever parameter names them: postalias(1) made the index.
    std::set<std::string, std::less<>> alias_tables;
    bool utf8 = true;                 // smtputf8_enable: without it tables take keys and values as they are
    random_source* random = nullptr;  // randmap:; must outlive the tables opened with it
};

// How the indexed types' source reads: `key value` (postmap(1)) or `name: value, value` (postalias(1), aliases(5)).
enum class source_syntax { map, aliases };

struct open_options {
    bool fold_keys = true;           // DICT_FLAG_FOLD_FIX
    bool allow_substitution = true;  // false: DICT_FLAG_NO_REGSUB, as transport_maps and alias_maps are opened
    bool utf8 = true;                // DICT_FLAG_UTF8_REQUEST with smtputf8_enable
    bool values_are_files = false;   // postmap -F: a value names files, and becomes their contents
    source_syntax syntax = source_syntax::map;

    friend auto operator<=>(const open_options&, const open_options&) = default;
};

struct opened {
    table_ptr value;  // never null
    std::vector<diagnostic> diagnostics;
};

// `spec` is "type:name", "proxy:type:name", or "type:{...}". Another form is severity::fatal: Postfix's daemon ends.
opened open(std::string_view spec, const environment& environment, const open_options& options = {});

// Whether tables of this type ask a server, which a file must stand in for.
bool asks_a_server(std::string_view type);
inline constexpr std::string_view environment_file = "/proc/self/environ";

// The types that open() knows, for "did you mean" and for listings, sorted.
const std::vector<std::string_view>& known_types();

}  // namespace mta::table
