// mta/table/types.hpp - how each table type opens; what open() dispatches to. Not for other rooms.
//
// An opener returns a table in every case: unavailable() stands in for one that cannot be opened.
#pragma once
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "mta/table/open.hpp"

namespace mta::table {

struct open_request {
    std::string_view type;
    std::string_view name;
    const environment& host;
    const open_options& options;
    std::vector<diagnostic>& diagnostics;
    std::size_t depth = 0;  // of unionmap: within unionmap:
};

inline constexpr std::size_t max_table_depth = 8;  // no configuration needs more; a hostile one must not recurse

// dict_surrogate(3): every lookup fails with the reason. The reason is also logged now, at `level`.
table_ptr unavailable(const open_request& request, std::string reason, severity level = severity::error);
// open() within open(): a member of a compound table.
table_ptr open_member(std::string_view spec, const open_request& parent);

table_ptr open_indexed(const open_request& request);  // hash btree lmdb cdb dbm sdbm
table_ptr open_texthash(const open_request& request);
table_ptr open_stand_in(const open_request& request);  // ldap mysql pgsql ...: the caller's text, or unsupported
table_ptr open_inline(const open_request& request);
table_ptr open_static(const open_request& request);
table_ptr open_fail(const open_request& request);
table_ptr open_environ(const open_request& request);
table_ptr open_union(const open_request& request);
table_ptr open_pipe(const open_request& request);
table_ptr open_random(const open_request& request);
table_ptr open_cidr(const open_request& request);
table_ptr open_regexp(const open_request& request);
table_ptr open_pcre(const open_request& request);
table_ptr open_sqlite(const open_request& request);

// The source of a table that is a file of rules or "{ {rule}, {rule} }" (cidr:, pcre:, regexp:), or the table that
// stands in because there is none.
struct rules_source {
    std::string text;
    table_ptr unavailable;
};
rules_source read_rules(const open_request& request);

// What a value becomes when options.values_are_files: the contents of the files it names, newline between them.
struct file_contents {
    std::string text;
    std::string error;
};
file_contents contents_of(std::string_view names, const environment& host);

}  // namespace mta::table
