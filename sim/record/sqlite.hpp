// sim/record/sqlite.hpp - prepared statements of SQLite, for the sources of this folder alone.
//
// Every failure is a record_error that names the file, what SQLite says and what to do.
#pragma once
#include <sqlite3.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "sim/record/record_error.hpp"

namespace sim::record::sqlite {

// Throws what the last call on `connection` failed with.
[[noreturn]] void fail(sqlite3* connection, const std::string& path, std::string_view doing);

class statement {
  public:
    statement() = default;
    statement(sqlite3* connection, const std::string& path, std::string_view sql);
    ~statement() { sqlite3_finalize(handle_); }
    statement(statement&& other) noexcept { swap(other); }
    statement& operator=(statement&& other) noexcept {
        swap(other);
        return *this;
    }

    // Views are not copied: they must hold until run() or the last next(). Text that is no UTF-8 is mended on its way
    // in.
    statement& bind(int column, std::string_view text);
    statement& bind(int column, std::int64_t number);
    statement& bind_null(int column);
    // NULL for "" and 0.
    statement& bind_or_null(int column, std::string_view text) {
        return text.empty() ? bind_null(column) : bind(column, text);
    }
    statement& bind_or_null(int column, std::int64_t number) {
        return number == 0 ? bind_null(column) : bind(column, number);
    }

    // Executes and makes ready for the next binding.
    void run();
    // The next row of a query; false and ready for the next binding when there is none.
    bool next();
    void reset();

    bool is_null(int column) const { return sqlite3_column_type(handle_, column) == SQLITE_NULL; }
    std::int64_t number(int column) const { return sqlite3_column_int64(handle_, column); }
    std::string text(int column) const;

  private:
    void swap(statement& other) noexcept {
        std::swap(handle_, other.handle_);
        std::swap(connection_, other.connection_);
        std::swap(path_, other.path_);
    }
    sqlite3_stmt* handle_ = nullptr;
    sqlite3* connection_ = nullptr;
    const std::string* path_ = nullptr;
};

}  // namespace sim::record::sqlite
