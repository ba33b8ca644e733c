// mta/table/sql_template.hpp - the %-templates of SQL tables: which parts of a key or result they need, and what they
// become (db_common.c; sqlite_table(5), "query" and "result_format").
#pragma once
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace mta::table {

using quoter = std::function<std::string(std::string_view)>;

// Whether every `%` is followed by one of % s u d S U D 1-9.
bool is_sql_template(std::string_view format);

// A query: %s %u %d and their upper-case forms and %1-%9 are the key's parts, each quoted. Nothing when the key lacks a
// part that the template needs: then there is no query.
std::optional<std::string> expand_query(std::string_view format, std::string_view key, const quoter& quote);

// A result: %s %u %d are the value's parts, %S %U %D %1-%9 the key's. Nothing when a part is lacking.
std::optional<std::string> expand_result(std::string_view format, std::string_view value, std::string_view key);

}  // namespace mta::table
