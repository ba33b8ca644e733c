#include "sim/record/sqlite.hpp"

#include <utility>

#include "sim/record/json.hpp"

namespace sim::record::sqlite {
namespace {

std::string_view advice(int code) {
    switch (code & 0xff) {
        case SQLITE_FULL:
            return "; make room on that disk, or write the record elsewhere";
        case SQLITE_CANTOPEN:
            return "; see that its folder exists and may be written to";
        case SQLITE_READONLY:
        case SQLITE_PERM:
            return "; see that the file and its folder may be written to";
        case SQLITE_BUSY:
        case SQLITE_LOCKED:
            return "; another program holds it locked: end that one first";
        case SQLITE_NOTADB:
        case SQLITE_CORRUPT:
            return "; it is no whole SQLite database: name the run.db of a finished run";
        default:
            return "";
    }
}

}  // namespace

void fail(sqlite3* connection, const std::string& path, std::string_view doing) {
    const int code = connection ? sqlite3_extended_errcode(connection) : SQLITE_NOMEM;
    std::string what = path;
    ((what += ": cannot ") += doing) += ": ";
    what += connection ? sqlite3_errmsg(connection) : "out of memory";
    what += advice(code);
    throw record_error(what);
}

statement::statement(sqlite3* connection, const std::string& path, std::string_view sql)
    : connection_(connection), path_(&path) {
    const int code = sqlite3_prepare_v3(connection, sql.data(), static_cast<int>(sql.size()), SQLITE_PREPARE_PERSISTENT,
                                        &handle_, nullptr);
    if (code != SQLITE_OK) fail(connection, path, "read the record");
}

statement& statement::bind(int column, std::string_view text) {
    int code = SQLITE_OK;
    if (is_well_formed(text)) {
        const char* data = text.data() ? text.data() : "";  // a null pointer would bind NULL
        code = sqlite3_bind_text64(handle_, column, data, text.size(), SQLITE_STATIC, SQLITE_UTF8);
    } else {
        const std::string mended = well_formed(text);
        code = sqlite3_bind_text64(handle_, column, mended.data(), mended.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
    }
    if (code != SQLITE_OK) fail(connection_, *path_, "write the record");
    return *this;
}

statement& statement::bind(int column, std::int64_t number) {
    if (sqlite3_bind_int64(handle_, column, number) != SQLITE_OK) fail(connection_, *path_, "write the record");
    return *this;
}

statement& statement::bind_null(int column) {
    if (sqlite3_bind_null(handle_, column) != SQLITE_OK) fail(connection_, *path_, "write the record");
    return *this;
}

void statement::run() {
    const int code = sqlite3_step(handle_);
    if (code != SQLITE_DONE && code != SQLITE_ROW) {
        struct release {
            sqlite3_stmt* handle;
            ~release() { sqlite3_reset(handle); }
        } after{handle_};
        fail(connection_, *path_, "write the record");
    }
    sqlite3_reset(handle_);
}

bool statement::next() {
    const int code = sqlite3_step(handle_);
    if (code == SQLITE_ROW) return true;
    if (code != SQLITE_DONE) fail(connection_, *path_, "read the record");
    sqlite3_reset(handle_);
    return false;
}

void statement::reset() {
    sqlite3_reset(handle_);
}

std::string statement::text(int column) const {
    const auto* data = reinterpret_cast<const char*>(sqlite3_column_text(handle_, column));
    if (!data) return {};
    return std::string(data, static_cast<std::size_t>(sqlite3_column_bytes(handle_, column)));
}

}  // namespace sim::record::sqlite
