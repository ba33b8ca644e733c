// mta/table/sqlite.cpp - sqlite: tables: a query for each lookup (sqlite_table(5)).
//
// The database is taken as bytes and opened in memory, read-only, without extensions, ATTACH or PRAGMA; a query that
// works too long is an error. What ends Postfix's daemon ("fatal") is an error of the table here, told in its words.
#include <sqlite3.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <utility>

#include "mta/table/source_text.hpp"
#include "mta/table/sql_template.hpp"
#include "mta/table/types.hpp"
#include "mta/text/strings.hpp"

namespace mta::table {
namespace {

constexpr int steps_between_checks = 10'000;
constexpr int max_checks = 1'000;  // ten million steps a lookup
constexpr std::size_t max_result_bytes = 1u << 20;

struct close_database {
    void operator()(sqlite3* database) const { sqlite3_close_v2(database); }
};
struct finalize_statement {
    void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};
using database_ptr = std::unique_ptr<sqlite3, close_database>;
using statement_ptr = std::unique_ptr<sqlite3_stmt, finalize_statement>;

// Functions whose answer is not in the database: a lookup must not depend on the machine's clock or chance.
constexpr std::array<std::string_view, 11> denied_functions = {
    "current_date", "current_time", "current_timestamp", "date", "datetime", "julianday",
    "random",       "randomblob",   "strftime",          "time", "unixepoch"};

int allow_reading_only(void*, int action, const char*, const char* name, const char*, const char*) {
    if (action == SQLITE_FUNCTION) {
        const std::string function = text::lowered(name == nullptr ? "" : name);
        const bool denied =
            std::find(denied_functions.begin(), denied_functions.end(), function) != denied_functions.end();
        return denied ? SQLITE_DENY : SQLITE_OK;
    }
    const bool reads = action == SQLITE_SELECT || action == SQLITE_READ || action == SQLITE_RECURSIVE;
    return reads ? SQLITE_OK : SQLITE_DENY;
}

// Null when SQLite cannot take the bytes at all.
database_ptr open_in_memory(std::string_view bytes) {
    sqlite3* raw = nullptr;
    const int status = sqlite3_open_v2(":memory:", &raw, SQLITE_OPEN_READWRITE | SQLITE_OPEN_MEMORY, nullptr);
    database_ptr database(raw);
    if (status != SQLITE_OK) return nullptr;
    if (!bytes.empty()) {
        auto* const copy = static_cast<unsigned char*>(sqlite3_malloc64(bytes.size()));
        if (copy == nullptr) return nullptr;
        std::copy(bytes.begin(), bytes.end(), copy);
        const auto size = static_cast<sqlite3_int64>(bytes.size());
        const unsigned flags = SQLITE_DESERIALIZE_FREEONCLOSE | SQLITE_DESERIALIZE_READONLY;
        if (sqlite3_deserialize(raw, "main", copy, size, size, flags) != SQLITE_OK) return nullptr;
    }
    sqlite3_db_config(raw, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
    sqlite3_db_config(raw, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
    sqlite3_limit(raw, SQLITE_LIMIT_LENGTH, static_cast<int>(max_result_bytes));
    sqlite3_limit(raw, SQLITE_LIMIT_ATTACHED, 0);
    sqlite3_set_authorizer(raw, allow_reading_only, nullptr);
    return database;
}

struct settings {
    std::string query;
    std::string result_format = "%s";
    std::vector<std::string> domains;  // empty: every key
    std::vector<table_ptr> domain_tables;
    std::int64_t expansion_limit = 0;
};

class sqlite_table final : public table {
  public:
    sqlite_table(const open_request& request, settings settings, database_ptr database)
        : table("sqlite", request.name, key_style::fixed, request.options.fold_keys, request.options.utf8),
          settings_(std::move(settings)),
          database_(std::move(database)) {}

  private:
    lookup_result find(std::string_view key) const override {
        lookup_result result;
        if (!in_domains(key, result)) return result;
        const std::optional<std::string> query = expand_query(settings_.query, key, quoted);
        if (!query) return result;
        sqlite3_stmt* raw = nullptr;
        int checks_left = max_checks;
        sqlite3_progress_handler(
            database_.get(), steps_between_checks, [](void* left) { return --*static_cast<int*>(left) <= 0 ? 1 : 0; },
            &checks_left);
        const int status = sqlite3_prepare_v2(database_.get(), query->c_str(), -1, &raw, nullptr);
        const statement_ptr statement(raw);
        if (status != SQLITE_OK)
            return failure(std::string("SQL prepare failed: ") + sqlite3_errmsg(database_.get()) + '?');
        result = statement ? rows(*statement, key) : result;
        sqlite3_progress_handler(database_.get(), 0, nullptr, nullptr);
        return result;
    }

    lookup_result failure(const std::string& text) const {
        sqlite3_progress_handler(database_.get(), 0, nullptr, nullptr);
        return lookup_result::error("dict_sqlite_lookup: " + name() + ": " + text);
    }

    lookup_result rows(sqlite3_stmt& statement, std::string_view key) const {
        lookup_result result;
        std::int64_t count = 0;
        for (;;) {
            const int status = sqlite3_step(&statement);
            if (status == SQLITE_DONE) break;
            if (status != SQLITE_ROW)
                return failure(std::string("SQL step failed: ") + sqlite3_errmsg(database_.get()) + '?');
            const unsigned char* const value = sqlite3_column_text(&statement, 0);
            if (value == nullptr) continue;
            const std::string text(reinterpret_cast<const char*>(value));
            if (text.empty()) {
                result.warnings.push_back("table \"" + type_and_name() + "\": empty lookup result for: \"" +
                                          printable(key) + "\" -- ignored");
            }
            const std::optional<std::string> expanded = expand_result(settings_.result_format, text, key);
            if (!expanded) continue;
            if (settings_.expansion_limit > 0 && ++count > settings_.expansion_limit) {
                return failure("Expansion limit exceeded for key '" + printable(key) + '\'');
            }
            if (result.found()) result.value += ',';
            result.value += *expanded;
            result.status = outcome::found;
            if (result.value.size() > max_result_bytes) return failure("result too long");
        }
        if (result.found() && result.value.empty()) result.status = outcome::not_found;
        if (result.found()) result.where = {name(), 0};
        return result;
    }

    // Only user@domain keys of these domains are looked up, when there are any.
    bool in_domains(std::string_view key, lookup_result& result) const {
        if (settings_.domains.empty() && settings_.domain_tables.empty()) return true;
        const std::size_t at = key.rfind('@');
        if (at == key.npos || at == 0) return false;
        const std::string domain = text::lowered(key.substr(at + 1));
        if (std::find(settings_.domains.begin(), settings_.domains.end(), domain) != settings_.domains.end())
            return true;
        for (const table_ptr& table : settings_.domain_tables) {
            lookup_result one = table->lookup(domain);
            if (one.status == outcome::not_found) continue;
            if (one.failed()) result = std::move(one);
            return result.status != outcome::error;
        }
        return false;
    }

    static std::string quoted(std::string_view text) { return text::replaced(text, "'", "''"); }

    settings settings_;
    database_ptr database_;
};

using parameters = std::map<std::string, std::string, std::less<>>;

// The query of the parameters that came before `query`: select_field, table, where_field, additional_conditions.
std::string legacy_query(const parameters& parameters, std::string& missing) {
    std::array<std::string, 3> values;
    constexpr std::array<std::string_view, 3> names = {"table", "select_field", "where_field"};
    for (std::size_t i = 0; i < names.size(); ++i) {
        const auto found = parameters.find(names[i]);
        if (found != parameters.end()) values[i] = found->second;
        if (values[i].empty() && missing.empty()) missing = names[i];
    }
    const auto conditions = parameters.find("additional_conditions");
    return "SELECT " + values[1] + " FROM " + values[0] + " WHERE " + values[2] + " = '%s' " +
           (conditions == parameters.end() ? "" : conditions->second);
}

class configuration {
  public:
    explicit configuration(const open_request& request) : request_(request), name_(request.name) {}

    table_ptr open() {
        const std::optional<std::string> text = request_.host.read ? request_.host.read(name_) : std::nullopt;
        if (!text) return unavailable(request_, "open " + name_ + ": No such file or directory");
        parameters parameters;
        std::string error = read(*text, parameters);
        settings settings;
        std::string database_path;
        if (error.empty()) error = apply(parameters, settings, database_path);
        if (!error.empty()) return unavailable(request_, std::move(error), severity::fatal);
        // SQLite creates a database that is not there: an empty one.
        const std::string bytes = request_.host.read(database_path).value_or("");
        database_ptr database = open_in_memory(bytes);
        if (!database) return unavailable(request_, "Can't open database: " + database_path);
        return std::make_shared<sqlite_table>(request_, std::move(settings), std::move(database));
    }

  private:
    std::string read(std::string_view text, parameters& parameters) {
        for (const logical_line& line : logical_lines(name_, text, request_.diagnostics)) {
            name_value entry = split_name_value(line.text);
            if (!entry.error.empty()) {
                return name_ + ", line " + std::to_string(line.number) + ": " + entry.error + ": \"" +
                       printable(line.text) + '"';
            }
            parameters[std::string(entry.name)] = entry.value;
        }
        return {};
    }

    std::string bad_length(std::string_view parameter) const {
        return name_ + ": bad string length 0 < 1: " + std::string(parameter) + " = ";
    }

    std::string apply(const parameters& parameters, settings& settings, std::string& database_path) {
        const auto value = [&](std::string_view parameter) {
            const auto found = parameters.find(parameter);
            return found == parameters.end() ? std::string() : found->second;
        };
        database_path = value("dbpath");
        if (database_path.empty()) return bad_length("dbpath");
        settings.query = value("query");
        if (settings.query.empty()) {
            std::string missing;
            settings.query = legacy_query(parameters, missing);
            if (!missing.empty()) return bad_length(missing);
        }
        if (parameters.contains("result_format")) settings.result_format = value("result_format");
        const std::string limit = parameters.contains("expansion_limit") ? value("expansion_limit") : "0";
        const std::optional<std::int64_t> number = text::to_number(limit);
        if (!number) return name_ + ": bad numerical configuration: expansion_limit = " + limit;
        settings.expansion_limit = *number;
        for (const std::string* const format : {&settings.query, &settings.result_format}) {
            if (!is_sql_template(*format)) return "db_common_parse: " + name_ + ": Invalid query template: " + *format;
        }
        read_domains(value("domain"), settings);
        return {};
    }

    void read_domains(std::string_view list, settings& settings) {
        for (const std::string_view field : text::split_quoting_braces(list, text::comma_or_space)) {
            if (field.find(':') != field.npos) {
                settings.domain_tables.push_back(open_member(field, request_));
            } else if (!field.starts_with('/')) {
                settings.domains.push_back(text::lowered(field));
            } else if (const auto file = request_.host.read(field)) {
                for (const std::string_view line : text::split(*file, "\n")) {
                    if (line.starts_with('#')) continue;
                    for (const std::string_view domain : text::split(line, text::comma_or_space)) {
                        settings.domains.push_back(text::lowered(domain));
                    }
                }
            } else {
                settings.domain_tables.push_back(
                    unavailable(request_, "open file " + std::string(field) + ": No such file or directory"));
            }
        }
    }

    const open_request& request_;
    std::string name_;
};

}  // namespace

table_ptr open_sqlite(const open_request& request) {
    return configuration(request).open();
}

}  // namespace mta::table
